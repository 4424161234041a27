SELECT init_param, init_value FROM wma_init
