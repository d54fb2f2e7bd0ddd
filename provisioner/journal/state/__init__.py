"""What a sync knows of each user, from night to night.

syncstate  the file: a journal that lasts
managed    the columns in which it holds what is known of users
gone       those of users that are taken for deleted and created anew
nights     one row for each sync, and what is noted for the one under way
"""
