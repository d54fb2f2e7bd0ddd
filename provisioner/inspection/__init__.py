"""What only looks, and changes nothing.

proposal/       a mapping proposed for a roster that nobody has mapped yet
doctor/         whether all that a run depends on is as it has to be: `doctor`
settinglist     every setting in force, and where it comes from
constraintlist  every limit, defect and warning
record/         what a job's journal tells: `status`, `history` and `show`
proof/          the proof that the app's users are as a roster has them: `verify`
report/         one HTML file that a manager reads
"""
