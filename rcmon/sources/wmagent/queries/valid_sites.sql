-- Where jobs of some subscriptions may run, as sets of sites by subscription and validity.
SELECT subscription_id, valid, SET_OF(location_id) AS sites
FROM wmbs_subscription_validation
WHERE valid IS NOT NULL AND subscription_id IN (SUBSCRIPTIONS)
GROUP BY subscription_id, valid
