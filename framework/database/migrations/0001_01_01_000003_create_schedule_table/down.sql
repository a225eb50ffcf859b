drop table schedule_runs;
