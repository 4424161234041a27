SELECT here.location, here.pnn, storage.pnn
FROM wmbs_location_pnns here
LEFT JOIN wmbs_pnns storage ON storage.id = here.pnn
