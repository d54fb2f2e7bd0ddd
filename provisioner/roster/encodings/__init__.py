"""What a text is that is not UTF-8.

languages  the letters of languages, and which languages an encoding was made for
readings   how it reads in other encodings, told when it cannot be read
signs      which signs say nothing of an encoding, and where they stand
words      how unlike words a text is in an encoding
alphabets  in which one it most likely is
mixed      what is said where the parts of a roster are in different ones
"""
