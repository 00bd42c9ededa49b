BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('r0001');
CREATE TABLE answer (
	id INTEGER NOT NULL, 
	conversation_id INTEGER NOT NULL, 
	seq INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	last_seen_message_id VARCHAR, 
	backend_conversation_id VARCHAR, 
	backend_message_id VARCHAR, 
	task_id VARCHAR, 
	run_id VARCHAR, 
	stop_requested_at DATETIME, 
	job_id VARCHAR, 
	error TEXT DEFAULT '' NOT NULL, 
	created_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	CONSTRAINT pk_answer PRIMARY KEY (id), 
	CONSTRAINT fk_answer_conversation_id_conversation FOREIGN KEY(conversation_id) REFERENCES conversation (id), 
	CONSTRAINT uq_answer_conversation_id_seq_attempt UNIQUE (conversation_id, seq, attempt)
);
INSERT INTO "answer" VALUES(1,1,1,1,1,'done',NULL,'c1','m1','t1',NULL,NULL,NULL,'','2026-01-01 12:00:00.000000','2026-01-01 12:00:00.000000');
INSERT INTO "answer" VALUES(2,2,1,1,1,'failed',NULL,'c2','m2',NULL,NULL,NULL,NULL,'BackendCut','2026-01-01 12:00:00.000000','2026-01-01 12:00:00.000000');
INSERT INTO "answer" VALUES(3,3,1,1,1,'asked',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'','2026-01-01 12:00:00.000000',NULL);
INSERT INTO "answer" VALUES(4,1,2,1,2,'streaming',NULL,'c1','m5','t5',NULL,NULL,NULL,'','2026-01-01 12:00:00.000000',NULL);
CREATE TABLE conversation (
	id INTEGER NOT NULL, 
	platform VARCHAR NOT NULL, 
	installation VARCHAR NOT NULL, 
	channel_id VARCHAR NOT NULL, 
	thread_id VARCHAR DEFAULT '' NOT NULL, 
	user_key VARCHAR DEFAULT '' NOT NULL, 
	app VARCHAR NOT NULL, 
	reset_generation INTEGER DEFAULT 0 NOT NULL, 
	backend_user VARCHAR NOT NULL, 
	backend_conversation_id VARCHAR, 
	reply_target TEXT, 
	tail INTEGER DEFAULT 0 NOT NULL, 
	head INTEGER DEFAULT 0 NOT NULL, 
	epoch INTEGER DEFAULT 0 NOT NULL, 
	active_answer_id INTEGER, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_conversation PRIMARY KEY (id), 
	CONSTRAINT uq_conversation_key UNIQUE (platform, installation, channel_id, thread_id, user_key, app, reset_generation)
);
INSERT INTO "conversation" VALUES(1,'fake','team','general','1','','default',0,'user of 1','c1','{"platform":"fake","conversation":{"platform":"fake","installation":"team","channel":"general","thread":"opened","person":""},"address":"general/opened","post_group":"general","edit_group":"general","opens_thread":false}',2,1,2,4,'2026-01-01 12:00:00.000000','2026-01-01 12:00:00.000000');
INSERT INTO "conversation" VALUES(2,'fake','team','general','2','','default',0,'user of 2','c2',NULL,1,1,1,NULL,'2026-01-01 12:00:00.000000','2026-01-01 12:00:00.000000');
INSERT INTO "conversation" VALUES(3,'fake','team','general','3','','default',0,'user of 3',NULL,NULL,2,0,1,3,'2026-01-01 12:00:00.000000','2026-01-01 12:00:00.000000');
CREATE TABLE feedback (
	id INTEGER NOT NULL, 
	platform VARCHAR NOT NULL, 
	message_address VARCHAR NOT NULL, 
	person_id VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	rating VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	revision BIGINT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_feedback PRIMARY KEY (id), 
	CONSTRAINT uq_feedback_vote UNIQUE (platform, message_address, person_id, source)
);
INSERT INTO "feedback" VALUES(1,'fake','a1','ada','like','like',1,1,'2026-01-01 12:00:00.000000');
INSERT INTO "feedback" VALUES(2,'fake','a5b','ada','dislike','dislike',1,1,'2026-01-01 12:00:00.000000');
INSERT INTO "feedback" VALUES(3,'fake','a9','ada','like','like',1,1,'2026-01-01 12:00:00.000000');
CREATE TABLE inbound_event (
	id INTEGER NOT NULL, 
	platform VARCHAR NOT NULL, 
	installation VARCHAR NOT NULL, 
	event_id VARCHAR NOT NULL, 
	message_address VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	revision BIGINT DEFAULT 0 NOT NULL, 
	conversation_id INTEGER NOT NULL, 
	seq INTEGER, 
	payload TEXT NOT NULL, 
	state VARCHAR NOT NULL, 
	answer_id INTEGER, 
	received_at DATETIME NOT NULL, 
	CONSTRAINT pk_inbound_event PRIMARY KEY (id), 
	CONSTRAINT fk_inbound_event_answer_id_answer FOREIGN KEY(answer_id) REFERENCES answer (id), 
	CONSTRAINT fk_inbound_event_conversation_id_conversation FOREIGN KEY(conversation_id) REFERENCES conversation (id), 
	CONSTRAINT uq_inbound_event_conversation_id_seq UNIQUE (conversation_id, seq), 
	CONSTRAINT uq_inbound_event_delivery UNIQUE (platform, installation, event_id), 
	CONSTRAINT uq_inbound_event_message UNIQUE (platform, message_address, kind, revision)
);
INSERT INTO "inbound_event" VALUES(1,'fake','team','e1','q1','message',0,1,1,'{"ref":{"platform":"fake","address":"q1"},"author":{"platform":"fake","id":"ada","display_name":"Ada","is_bot":false},"text":"Why?","target":{"platform":"fake","conversation":{"platform":"fake","installation":"team","channel":"general","thread":"1","person":""},"address":"general/1","post_group":"general","edit_group":"general","opens_thread":false},"attachments":[],"named":[],"sent_at":"2026-01-01T12:00:00Z"}','answered',1,'2026-01-01 12:00:00.000000');
INSERT INTO "inbound_event" VALUES(2,'fake','team','e2','q2','message',0,2,1,'{"ref":{"platform":"fake","address":"q2"},"author":{"platform":"fake","id":"ada","display_name":"Ada","is_bot":false},"text":"Who failed?","target":{"platform":"fake","conversation":{"platform":"fake","installation":"team","channel":"general","thread":"2","person":""},"address":"general/2","post_group":"general","edit_group":"general","opens_thread":false},"attachments":[],"named":[],"sent_at":"2026-01-01T12:00:00Z"}','answered',2,'2026-01-01 12:00:00.000000');
INSERT INTO "inbound_event" VALUES(3,'fake','team','e3','q3','message',0,3,1,'{"ref":{"platform":"fake","address":"q3"},"author":{"platform":"fake","id":"ada","display_name":"Ada","is_bot":false},"text":"Who asks?","target":{"platform":"fake","conversation":{"platform":"fake","installation":"team","channel":"general","thread":"3","person":""},"address":"general/3","post_group":"general","edit_group":"general","opens_thread":false},"attachments":[],"named":[],"sent_at":"2026-01-01T12:00:00Z"}','new',NULL,'2026-01-01 12:00:00.000000');
INSERT INTO "inbound_event" VALUES(4,'fake','team','e4','q4','message',0,3,2,'{"ref":{"platform":"fake","address":"q4"},"author":{"platform":"fake","id":"ada","display_name":"Ada","is_bot":false},"text":"Who waits?","target":{"platform":"fake","conversation":{"platform":"fake","installation":"team","channel":"general","thread":"3","person":""},"address":"general/3","post_group":"general","edit_group":"general","opens_thread":false},"attachments":[],"named":[],"sent_at":"2026-01-01T12:00:00Z"}','new',NULL,'2026-01-01 12:00:00.000000');
INSERT INTO "inbound_event" VALUES(5,'fake','team','e5','q5','message',0,1,2,'{"ref":{"platform":"fake","address":"q5"},"author":{"platform":"fake","id":"ada","display_name":"Ada","is_bot":false},"text":"Who streams?","target":{"platform":"fake","conversation":{"platform":"fake","installation":"team","channel":"general","thread":"1","person":""},"address":"general/1","post_group":"general","edit_group":"general","opens_thread":false},"attachments":[],"named":[],"sent_at":"2026-01-01T12:00:00Z"}','new',NULL,'2026-01-01 12:00:00.000000');
CREATE TABLE installation (
	id INTEGER NOT NULL, 
	platform VARCHAR NOT NULL, 
	tenant_id VARCHAR NOT NULL, 
	enterprise_id VARCHAR DEFAULT '' NOT NULL, 
	app_id VARCHAR DEFAULT '' NOT NULL, 
	bot_user_id VARCHAR, 
	token_enc TEXT, 
	scopes TEXT, 
	installed_at DATETIME NOT NULL, 
	revoked_at DATETIME, 
	CONSTRAINT pk_installation PRIMARY KEY (id), 
	CONSTRAINT uq_installation_platform_app_id_enterprise_id_tenant_id UNIQUE (platform, app_id, enterprise_id, tenant_id)
);
CREATE TABLE lease (
	name VARCHAR NOT NULL, 
	holder VARCHAR DEFAULT '' NOT NULL, 
	epoch INTEGER DEFAULT 0 NOT NULL, 
	expires_at DATETIME NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (name)
);
CREATE TABLE outbound_message (
	id INTEGER NOT NULL, 
	answer_id INTEGER NOT NULL, 
	part INTEGER NOT NULL, 
	nonce VARCHAR NOT NULL, 
	platform VARCHAR NOT NULL, 
	message_address VARCHAR, 
	state VARCHAR NOT NULL, 
	shown_text TEXT DEFAULT '' NOT NULL, 
	posted_at DATETIME, 
	CONSTRAINT pk_outbound_message PRIMARY KEY (id), 
	CONSTRAINT fk_outbound_message_answer_id_answer FOREIGN KEY(answer_id) REFERENCES answer (id), 
	CONSTRAINT uq_outbound_message_answer_id_part UNIQUE (answer_id, part), 
	CONSTRAINT uq_outbound_message_nonce UNIQUE (nonce), 
	CONSTRAINT uq_outbound_message_platform_message_address UNIQUE (platform, message_address)
);
INSERT INTO "outbound_message" VALUES(1,1,0,'nonce 1','fake','a1','posted','','2026-01-01 12:00:00.000000');
INSERT INTO "outbound_message" VALUES(2,2,0,'nonce 2','fake','a2','posted','half','2026-01-01 12:00:00.000000');
INSERT INTO "outbound_message" VALUES(3,4,0,'nonce 5.0','fake','a5','posted','first','2026-01-01 12:00:00.000000');
INSERT INTO "outbound_message" VALUES(4,4,1,'nonce 5.1','fake','a5b','posted','sec','2026-01-01 12:00:00.000000');
CREATE TABLE process (
	id VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	seen_at DATETIME NOT NULL, 
	CONSTRAINT pk_process PRIMARY KEY (id)
);
CREATE TABLE rate_slot (
	"key" VARCHAR NOT NULL, 
	next_at DATETIME NOT NULL, 
	CONSTRAINT pk_rate_slot PRIMARY KEY ("key")
);
CREATE TABLE rating (
	answer_id INTEGER NOT NULL, 
	wanted VARCHAR, 
	sent VARCHAR, 
	uncertain BOOLEAN DEFAULT 0 NOT NULL, 
	dirty BOOLEAN DEFAULT 0 NOT NULL, 
	attempts INTEGER DEFAULT 0 NOT NULL, 
	retry_at DATETIME, 
	likes INTEGER DEFAULT 0 NOT NULL, 
	dislikes INTEGER DEFAULT 0 NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT pk_rating PRIMARY KEY (answer_id), 
	CONSTRAINT fk_rating_answer_id_answer FOREIGN KEY(answer_id) REFERENCES answer (id)
);
INSERT INTO "rating" VALUES(1,'like',NULL,0,1,0,NULL,1,0,'2026-01-01 12:00:00.000000');
INSERT INTO "rating" VALUES(4,'dislike',NULL,0,1,0,NULL,0,1,'2026-01-01 12:00:00.000000');
CREATE INDEX ix_rating_due ON rating (dirty, retry_at);
COMMIT;
