-- The names of some workflows: each of a request's tasks has a row of its own.
SELECT id, name FROM wmbs_workflow WHERE id IN (WORKFLOWS)
