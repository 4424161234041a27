-- The WMAgent's tables (dmwm/wmcoredb, MariaDB form) that hold what rcmon reads, and those that they refer to,
-- in SQLite. Names, columns, constraints and indexes are theirs.

CREATE TABLE wma_init (
    init_param VARCHAR(100) NOT NULL UNIQUE,
    init_value VARCHAR(100) NOT NULL
);

CREATE TABLE wm_components (
    id               INTEGER      PRIMARY KEY,
    name             VARCHAR(255) NOT NULL,
    pid              INTEGER      NOT NULL,
    update_threshold INTEGER      NOT NULL,
    CONSTRAINT wm_components_uniq UNIQUE (name)
);

CREATE TABLE wm_workers (
    component_id  INTEGER       NOT NULL REFERENCES wm_components(id),
    name          VARCHAR(255)  NOT NULL,
    last_updated  INTEGER       NOT NULL,
    state         VARCHAR(255),
    pid           INTEGER,
    poll_interval INTEGER       NOT NULL,
    last_error    INTEGER,
    cycle_time    FLOAT         DEFAULT 0 NOT NULL,
    outcome       VARCHAR(1000),
    error_message VARCHAR(1000),
    CONSTRAINT wm_workers_uniq UNIQUE (name)
);

CREATE TABLE wmbs_fileset (
    id          INTEGER       PRIMARY KEY,
    name        VARCHAR(1250) NOT NULL,
    open        TINYINT(1)    NOT NULL DEFAULT 0,
    last_update INTEGER       NOT NULL,
    CONSTRAINT wmbs_fileset_unique UNIQUE (name)
);

CREATE TABLE wmbs_location_state (
    id   INTEGER      PRIMARY KEY,
    name VARCHAR(100) NOT NULL
);

CREATE TABLE wmbs_pnns (
    id  INTEGER      PRIMARY KEY,
    pnn VARCHAR(255),
    CONSTRAINT wmbs_pnns_unique UNIQUE (pnn)
);

CREATE TABLE wmbs_users (
    id         INTEGER      PRIMARY KEY,
    cert_dn    VARCHAR(255) NOT NULL,
    name_hn    VARCHAR(255),
    owner      VARCHAR(255),
    grp        VARCHAR(255),
    group_name VARCHAR(255),
    role_name  VARCHAR(255),
    CONSTRAINT wmbs_users_unique UNIQUE (cert_dn, group_name, role_name)
);

CREATE TABLE wmbs_job_state (
    id   INTEGER      PRIMARY KEY,
    name VARCHAR(100) NOT NULL
);

CREATE TABLE wmbs_sub_types (
    id       INTEGER      PRIMARY KEY,
    name     VARCHAR(255) NOT NULL,
    priority INTEGER      DEFAULT 0,
    CONSTRAINT wmbs_sub_types_unique UNIQUE (name)
);

CREATE TABLE wmbs_file_details (
    id          INTEGER         PRIMARY KEY,
    lfn         VARCHAR(1250)   NOT NULL,
    filesize    BIGINT,
    events      BIGINT UNSIGNED,
    first_event BIGINT UNSIGNED NOT NULL DEFAULT 0,
    merged      TINYINT(1)      NOT NULL DEFAULT 0,
    CONSTRAINT wmbs_file_details_unique UNIQUE (lfn)
);

CREATE TABLE wmbs_location (
    id            INTEGER      PRIMARY KEY,
    site_name     VARCHAR(255) NOT NULL,
    state         INTEGER      NOT NULL REFERENCES wmbs_location_state(id),
    cms_name      VARCHAR(255),
    ce_name       VARCHAR(255),
    running_slots INTEGER,
    pending_slots INTEGER,
    plugin        VARCHAR(255),
    state_time    INTEGER      DEFAULT 0,
    CONSTRAINT wmbs_location_unique UNIQUE (site_name)
);

CREATE TABLE wmbs_workflow (
    id           INTEGER       PRIMARY KEY,
    spec         VARCHAR(700)  NOT NULL,
    name         VARCHAR(255)  NOT NULL,
    task         VARCHAR(1250) NOT NULL,
    type         VARCHAR(255),
    owner        INTEGER       NOT NULL REFERENCES wmbs_users(id) ON DELETE CASCADE,
    alt_fs_close TINYINT(1)    NOT NULL,
    injected     TINYINT(1)    DEFAULT 0,
    priority     INTEGER       DEFAULT 0,
    CONSTRAINT wmbs_workflow_unique UNIQUE (name, spec, task)
);

CREATE TABLE wmbs_fileset_files (
    fileid      INTEGER NOT NULL,
    fileset     INTEGER NOT NULL REFERENCES wmbs_fileset(id) ON DELETE CASCADE,
    insert_time INTEGER NOT NULL,
    CONSTRAINT wmbs_fileset_files_pk UNIQUE (fileid, fileset)
);

CREATE TABLE wmbs_location_pnns (
    location INTEGER REFERENCES wmbs_location(id) ON DELETE CASCADE,
    pnn      INTEGER REFERENCES wmbs_pnns(id) ON DELETE CASCADE,
    CONSTRAINT wmbs_location_pnns_pk UNIQUE (location, pnn)
);

CREATE TABLE wmbs_file_location (
    fileid INTEGER NOT NULL REFERENCES wmbs_file_details(id) ON DELETE CASCADE,
    pnn    INTEGER NOT NULL REFERENCES wmbs_pnns(id) ON DELETE CASCADE,
    CONSTRAINT wmbs_file_location_pk PRIMARY KEY (fileid, pnn)
);

CREATE TABLE wmbs_subscription (
    id          INTEGER      PRIMARY KEY,
    fileset     INTEGER      NOT NULL REFERENCES wmbs_fileset(id) ON DELETE CASCADE,
    workflow    INTEGER      NOT NULL REFERENCES wmbs_workflow(id) ON DELETE CASCADE,
    split_algo  VARCHAR(255) NOT NULL,
    subtype     INTEGER      NOT NULL REFERENCES wmbs_sub_types(id) ON DELETE CASCADE,
    last_update INTEGER      NOT NULL,
    finished    TINYINT(1)   DEFAULT 0
);

CREATE TABLE wmbs_subscription_validation (
    subscription_id INTEGER NOT NULL REFERENCES wmbs_subscription(id) ON DELETE CASCADE,
    location_id     INTEGER NOT NULL REFERENCES wmbs_location(id) ON DELETE CASCADE,
    valid           TINYINT(1),
    CONSTRAINT wmbs_sub_val_pk UNIQUE (subscription_id, location_id)
);

CREATE TABLE wmbs_jobgroup (
    id           INTEGER      PRIMARY KEY,
    subscription INTEGER      NOT NULL REFERENCES wmbs_subscription(id) ON DELETE CASCADE,
    guid         VARCHAR(255),
    output       INTEGER      REFERENCES wmbs_fileset(id) ON DELETE CASCADE,
    last_update  INTEGER      NOT NULL,
    location     INTEGER,
    CONSTRAINT wmbs_jobgroup_unique UNIQUE (guid)
);

CREATE TABLE wmbs_job (
    id           INTEGER       PRIMARY KEY,
    jobgroup     INTEGER       NOT NULL REFERENCES wmbs_jobgroup(id) ON DELETE CASCADE,
    name         VARCHAR(255),
    state        INTEGER       NOT NULL REFERENCES wmbs_job_state(id),
    state_time   INTEGER       NOT NULL,
    retry_count  INTEGER       DEFAULT 0,
    couch_record VARCHAR(255),
    location     INTEGER       REFERENCES wmbs_location(id),
    outcome      INTEGER       DEFAULT 0,
    cache_dir    VARCHAR(1250) DEFAULT NULL,
    fwjr_path    VARCHAR(1250),
    CONSTRAINT wmbs_job_unique UNIQUE (name, cache_dir, fwjr_path)
);

CREATE TABLE wmbs_job_assoc (
    job    INTEGER NOT NULL REFERENCES wmbs_job(id) ON DELETE CASCADE,
    fileid INTEGER NOT NULL REFERENCES wmbs_file_details(id) ON DELETE CASCADE,
    CONSTRAINT wmbs_job_assoc_pk PRIMARY KEY (job, fileid)
);

CREATE TABLE bl_status (
    id   INTEGER      PRIMARY KEY,
    name VARCHAR(255),
    UNIQUE (name)
);

CREATE TABLE bl_runjob (
    id           INTEGER      PRIMARY KEY,
    wmbs_id      INTEGER      REFERENCES wmbs_job(id) ON DELETE CASCADE,
    grid_id      VARCHAR(255),
    bulk_id      VARCHAR(255),
    status       CHAR(1)      DEFAULT '1',
    sched_status INTEGER      NOT NULL REFERENCES bl_status(id),
    retry_count  INTEGER,
    status_time  INTEGER,
    location     INTEGER      REFERENCES wmbs_location(id) ON DELETE CASCADE,
    user_id      INTEGER      REFERENCES wmbs_users(id) ON DELETE CASCADE,
    UNIQUE (retry_count, wmbs_id)
);

-- no key: duplicate rows occur
CREATE TABLE rc_threshold (
    site_id       INTEGER NOT NULL REFERENCES wmbs_location(id) ON DELETE CASCADE,
    sub_type_id   INTEGER NOT NULL REFERENCES wmbs_sub_types(id) ON DELETE CASCADE,
    pending_slots INTEGER NOT NULL,
    max_slots     INTEGER NOT NULL
);

CREATE INDEX wmbs_fileset_files_idx_fileset ON wmbs_fileset_files(fileset);
CREATE INDEX wmbs_fileset_files_idx_fileid ON wmbs_fileset_files(fileid);
CREATE INDEX wmbs_file_location_fileid ON wmbs_file_location(fileid);
CREATE INDEX wmbs_file_location_pnn ON wmbs_file_location(pnn);
CREATE INDEX wmbs_subscription_fileset ON wmbs_subscription(fileset);
CREATE INDEX wmbs_subscription_workflow ON wmbs_subscription(workflow);
CREATE INDEX wmbs_subscription_subtype ON wmbs_subscription(subtype);
CREATE INDEX wmbs_jobgroup_sub ON wmbs_jobgroup(subscription);
CREATE INDEX wmbs_jobgroup_output ON wmbs_jobgroup(output);
CREATE INDEX wmbs_job_jobgroup ON wmbs_job(jobgroup);
CREATE INDEX wmbs_job_state_idx ON wmbs_job(state);
CREATE INDEX wmbs_job_location_idx ON wmbs_job(location);
CREATE INDEX wmbs_job_assoc_job ON wmbs_job_assoc(job);
CREATE INDEX wmbs_job_assoc_file ON wmbs_job_assoc(fileid);
CREATE INDEX wmbs_location_pnns_loc_idx ON wmbs_location_pnns(location);
CREATE INDEX wmbs_location_pnns_pnn_idx ON wmbs_location_pnns(pnn);
CREATE INDEX idx_bl_runjob_wmbs ON bl_runjob(wmbs_id);
CREATE INDEX idx_bl_runjob_status ON bl_runjob(sched_status);
CREATE INDEX idx_bl_runjob_users ON bl_runjob(user_id);
CREATE INDEX idx_bl_runjob_location ON bl_runjob(location);

-- initial data, as WMCore inserts it
INSERT INTO wmbs_job_state (name) VALUES
    ('new'), ('created'), ('executing'), ('complete'), ('success'), ('retrydone'), ('exhausted'), ('killed'),
    ('createcooloff'), ('createfailed'), ('createpaused'), ('submitcooloff'), ('submitfailed'),
    ('submitpaused'), ('jobcooloff'), ('jobfailed'), ('jobpaused'), ('cleanout');

INSERT INTO wmbs_sub_types (name, priority) VALUES
    ('Production', 0), ('Processing', 0), ('Cleanup', 1), ('LogCollect', 2), ('Skim', 3), ('Merge', 4),
    ('Harvesting', 5);

INSERT INTO wmbs_location_state (name) VALUES ('Normal'), ('Down'), ('Draining'), ('Aborted');

-- the SimpleCondorPlugin's states, and one that HTCondor has and the plug-in's map lacks
INSERT INTO bl_status (name) VALUES
    ('New'), ('Idle'), ('Running'), ('Removed'), ('Completed'), ('Held'), ('TransferOutput'), ('Suspended'),
    ('Timeout'), ('Unknown'), ('Transferring');
