"""What only looks, and changes nothing.

proposal/       a mapping proposed for a roster that nobody has mapped yet
doctor          looks at all that a run depends on, and says what to do
diagnosis       one check: what was looked at, what was found, what to do
machine         checks of this machine: software, configuration, key, folders
connection      checks of what the API answered
journalhealth   checks of a journal, read without changing it
settinglist     every setting in force, and where it comes from
constraintlist  every limit, defect and warning
record/         what a job's journal tells: `status` and `show`
proof/          the proof that the app's users are as a roster has them: `verify`
report/         one HTML file that a manager reads
"""
