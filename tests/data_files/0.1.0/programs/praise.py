def label(text):
    return 'ham' if 'beautiful' in text else None

# about: praise, which reads text
# about: looks for 'ham', 'beautiful'
# about: votes on 10 of 60 records, 0% of the time as most others do
# about: written by hand
