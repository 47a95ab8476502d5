def label(text):
    return 'ham' if 'song' in text else 'spam'

# about: topic, which reads text
# about: looks for 'ham', 'spam', 'song'
# about: votes on 60 of 60 records, 67% of the time as most others do
# about: written by hand
