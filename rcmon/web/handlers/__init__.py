"""The resources: one file each, which ends with its handlers; `rcmon.web.app.TABLE` lists them all."""
