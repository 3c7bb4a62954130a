"""The calendar: when everything runs, how much runs at a time, what collides, and how it is shown.

Which schedules there are say `estates`; how long their runs take, `run_durations` asks ACC. `job_starts`, `load`,
`clock_marks`, `collisions` and `blackout_periods` predict from timings alone, by `timetable`; `forecast` puts that on
the days and hours of one clock. `schedule_checks` says what a plan or the manifests would run into; `spread` proposes
other minutes. The forms are `text_form`, `html_form`, `json_form` and `ics_form`; `form_words` has the words that they
share, `shading` how dark an hour is, `coming_runs` what is next. The page is made of `html_heat_map` and, for its
script, of `page_data`, in which `start_patterns` writes all starts in short.
"""
