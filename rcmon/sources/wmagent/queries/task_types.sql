SELECT id, name, priority FROM wmbs_sub_types
