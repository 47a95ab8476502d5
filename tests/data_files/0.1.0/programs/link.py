def label(text):
    return 'spam' if 'http' in text else None

# about: link, which reads text
# about: looks for 'spam', 'http'
# about: votes on 20 of 60 records, 100% of the time as most others do
# about: written by hand
