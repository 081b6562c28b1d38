/* pqd: submit jobs to the performance queue of this host, work on them, look after them.
 *
 *   pqd_client *client = NULL;
 *   if (pqd_connect(NULL, &client) != PQD_OK) return 1;       // pqd_last_error(NULL) says why
 *   pqd_submit_options job = PQD_SUBMIT_OPTIONS_INIT;
 *   job.type = "mail";
 *   job.payload = "hello";
 *   job.payload_bytes = 5;
 *   pqd_ticket ticket;
 *   if (pqd_submit(client, &job, NULL, &ticket) == PQD_OK && pqd_wait(client, &ticket, 1000, NULL) == PQD_OK)
 *     puts("durable");
 *   pqd_close(client);
 *
 * Threads: a client, and every delivery taken from it, is used by one thread at a time. Threads that submit
 * in parallel open a client each. The library starts no thread and installs no signal handler. After fork()
 * the child cannot use the parent's client: every call answers PQD_UNAVAILABLE, pqd_close() frees what can
 * be.
 *
 * Time: *_ms are milliseconds. Timeouts of calls: 0 = do not wait, -1 = for ever. Points in time are Unix
 * milliseconds; 0 = not set.
 *
 * Strings: in, zero-terminated UTF-8 or NULL for "none"; out, valid as long as the comment says.
 *
 * Sized structs: `size` comes first and says what the caller was compiled with. The _INIT macros and _init
 * functions (compiled into the caller) set it and the defaults. New fields are only ever appended; a zero in
 * them, and in what is reserved, is the default. No struct is over 4 KiB: a larger size is one that was never
 * set.
 *
 * A daemon that goes away and comes back is met inside the call that notices: it reconnects, sends again
 * under the same ids what was not acknowledged, and goes on. Only after reconnect_timeout_ms a call ends in
 * PQD_UNAVAILABLE, or PQD_UNKNOWN_OUTCOME for what was written and not answered; with a submit_timeout_ms of
 * 0, submits and settlements do so at once. */
#ifndef PQD_PQD_H
#define PQD_PQD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PQD_API __attribute__((visibility("default")))
#else
#define PQD_API
#endif

/* As in C, any int may be passed where one of these is expected. */
#ifdef __cplusplus
#define PQD_ENUM_BASE : int
#else
#define PQD_ENUM_BASE
#endif

#define PQD_VERSION_MAJOR 0
#define PQD_VERSION_MINOR 1

/* -- What a call answers ------------------------------------------------------------------------------- */

/* The same set and values everywhere; appended to, never renumbered. */
typedef enum pqd_status PQD_ENUM_BASE {
  PQD_OK = 0,
  PQD_QUEUE_FULL = 1,
  PQD_REQUEST_TIMEOUT = 2, /* not decided within the time; it may still be */
  PQD_PROCESSING_TIMEOUT = 3,
  PQD_INVALID_REQUEST = 4,
  PQD_INVALID_PRIORITY = 5,
  PQD_INVALID_MODE = 6,
  PQD_INVALID_STATUS = 7,
  PQD_PAYLOAD_TOO_LARGE = 8,
  PQD_WORKER_UNAVAILABLE = 9,
  PQD_RATE_LIMIT_EXCEEDED = 10,
  PQD_DUPLICATE_REQUEST = 11,
  PQD_UNAUTHORIZED = 12,
  PQD_NOT_FOUND = 13,
  PQD_LEASE_LOST = 14,
  PQD_NO_SPACE = 15,
  PQD_UNAVAILABLE = 16,
  PQD_UNKNOWN_OUTCOME = 17, /* submitting the same id again is safe; see also pqd_wait() */
  PQD_SYSTEM_ERROR = 18
} pqd_status;

typedef struct pqd_client pqd_client;
typedef struct pqd_delivery pqd_delivery;
typedef struct pqd_batch pqd_batch;

/* "0.1.0", for ever valid. */
PQD_API const char* pqd_version(void);
/* "QUEUE_FULL" and so on; for ever valid. */
PQD_API const char* pqd_status_name(pqd_status status);
/* One general sentence: what happened, and what to do next; for ever valid. */
PQD_API const char* pqd_status_text(pqd_status status);
/* The sentence with the particulars of this client's last call that was not PQD_OK; "" when there was none.
 * Valid until the next call with this client. NULL: of this thread's last pqd_connect(). */
PQD_API const char* pqd_last_error(const pqd_client* client);
/* When to try again, in milliseconds, as said together with pqd_last_error(); 0 = time will not mend it, or
 * nobody knows. */
PQD_API uint32_t pqd_last_retry_after_ms(const pqd_client* client);

/* -- Ids ----------------------------------------------------------------------------------------------- */

/* A job's id: the 16 bytes of a version 7 UUID, in the order of its text. All zero = none. */
typedef struct pqd_id {
  uint8_t bytes[16];
} pqd_id;

#define PQD_ID_TEXT_BYTES 37 /* 36 characters and the zero */

PQD_API void pqd_id_to_string(const pqd_id* id, char text[PQD_ID_TEXT_BYTES]);
/* PQD_INVALID_REQUEST: not a version 7 UUID. */
PQD_API pqd_status pqd_id_parse(const char* text, pqd_id* id);

/* -- Connecting ---------------------------------------------------------------------------------------- */

typedef enum pqd_durability {
  PQD_DURABILITY_FSYNC = 0,  /* survives power loss */
  PQD_DURABILITY_OS = 1,     /* survives the crash of any process */
  PQD_DURABILITY_MEMORY = 2, /* survives nothing, is fastest */
  PQD_DURABILITY_DEFAULT = 255
} pqd_durability;

typedef struct pqd_connect_options {
  size_t size;
  const char* socket;          /* NULL: PQD_SOCKET, $XDG_RUNTIME_DIR/pqd/pqd.sock, /run/pqd/pqd.sock */
  const char* name;            /* shown in listings, at most 31 bytes; NULL: the program's */
  uint32_t connect_timeout_ms; /* default 5 000 */
  uint32_t
      reconnect_timeout_ms;   /* how long calls wait for a daemon that went away: default 30 000; 0 = never */
  uint32_t submit_timeout_ms; /* how long a submit or settlement waits for room in its lane once the daemon is
                               * there: default 5 000; 0 = for nothing, also not for a daemon that is away */
  uint32_t answer_timeout_ms; /* for queries and commands: default 30 000 */
  uint32_t lane_bytes;        /* of each lane: 0 = 1 MiB; a power of two, 64 KiB to 256 MiB */
  uint32_t deliveries_bytes;  /* the same */
  uint32_t answers_bytes;     /* the same */
  uint32_t receipt_slots;     /* 0 = 1 024; a power of two, 64 to 65 536 */
  uint8_t durability;         /* pqd_durability of submits that name none; default fsync */
  uint8_t reserved[7];        /* zero */
} pqd_connect_options;

#define PQD_CONNECT_OPTIONS_INIT                                                            \
  {                                                                                         \
    sizeof(pqd_connect_options), NULL, NULL, 5000, 30000, 5000, 30000, 0, 0, 0, 0, 0, { 0 } \
  }
static inline void pqd_connect_options_init(pqd_connect_options* options) {
  const pqd_connect_options defaults = PQD_CONNECT_OPTIONS_INIT;
  *options = defaults;
}

/* NULL options: the defaults. PQD_UNAVAILABLE: no daemon there. PQD_UNAUTHORIZED: it may not be reached, or
 * does not want this user. PQD_INVALID_REQUEST: a size or the path is out of its range. PQD_SYSTEM_ERROR: no
 * version in common, no memory. `*client` is NULL unless PQD_OK. */
PQD_API pqd_status pqd_connect(const pqd_connect_options* options, pqd_client** client);
/* Submits not waited for may be lost with the connection: pqd_flush() first. NULL is allowed. Jobs that were
 * not handed out go back to their queue unspent, which may take up to a second; those in hand count as a
 * death of their consumer. A job that may run once at most fails in either case, with
 * PQD_REASON_DELIVERY_LOST. Deliveries stay valid until freed. */
PQD_API void pqd_close(pqd_client* client);

/* -- Event loops --------------------------------------------------------------------------------------- */

/* For poll(): readable when there is something to take in. One descriptor for the client's life, never to be
 * read or closed by the caller; -1 and pqd_last_error() when there is none left. */
PQD_API int pqd_get_fd(pqd_client* client);
/* To be called when the descriptor is readable: takes in all that came. Does not wait, except for a handshake
 * when a daemon has just come back. */
PQD_API pqd_status pqd_process(pqd_client* client);
/* To be called before sleeping. 1: sleep, the descriptor will become readable. 0: look at tickets and
 * deliveries again first, something came meanwhile. After pqd_next_batch() a batch that is not whole is
 * nothing, after pqd_next() its jobs count one by one. */
PQD_API int pqd_arm(pqd_client* client);

/* -- Submitting ---------------------------------------------------------------------------------------- */

typedef enum pqd_mode { PQD_MODE_FIFO = 0, PQD_MODE_PRIORITY = 1, PQD_MODE_BATCH = 2 } pqd_mode;
typedef enum pqd_delivery_mode { PQD_AT_LEAST_ONCE = 0, PQD_AT_MOST_ONCE = 1 } pqd_delivery_mode;

enum { PQD_PRIORITY_LOW = 1, PQD_PRIORITY_NORMAL = 5, PQD_PRIORITY_HIGH = 10, PQD_PRIORITY_CRITICAL = 20 };

#define PQD_TIMEOUT_DEFAULT UINT32_C(0xFFFFFFFF) /* "as the queue says" where 0 means something else */

#define PQD_FLAG_BACKOFF_JITTER 1u /* pqd_submit_options::flags: random time is added to each backoff */

typedef struct pqd_submit_options {
  size_t size;
  const char* type;  /* required; 1 to 64 of A-Z a-z 0-9 . _ : - */
  const char* queue; /* the same; NULL = "default" */
  const void* payload;
  size_t payload_bytes;           /* at most pqd_max_payload_bytes() */
  const char* idempotency_key;    /* at most 128 bytes */
  const char* ordering_key;       /* at most 128 bytes */
  const char* subject;            /* at most 128 bytes; only for callers that may act for others */
  const char* traceparent;        /* at most 64 bytes */
  const char* metadata;           /* JSON, at most 4 KiB */
  int64_t not_before_ms;          /* earliest start, Unix milliseconds; 0 = now */
  uint32_t queue_timeout_ms;      /* longest wait once ready; 0 = for ever; default PQD_TIMEOUT_DEFAULT */
  uint32_t processing_timeout_ms; /* lease length; default PQD_TIMEOUT_DEFAULT */
  uint32_t backoff_first_ms;      /* default PQD_TIMEOUT_DEFAULT */
  uint32_t backoff_cap_ms;        /* default PQD_TIMEOUT_DEFAULT */
  uint16_t max_attempts;          /* 0 = as the queue says */
  uint8_t mode;                   /* pqd_mode */
  uint8_t priority;               /* 1 to 20, higher is more urgent; default 5 */
  uint8_t delivery;               /* pqd_delivery_mode */
  uint8_t durability;             /* pqd_durability; default: as the client was connected with */
  uint8_t reserved[2];            /* zero */
  uint32_t flags;                 /* PQD_FLAG_... */
  uint32_t reserved2;             /* zero */
} pqd_submit_options;

#define PQD_SUBMIT_OPTIONS_INIT                                                                            \
  {                                                                                                        \
    sizeof(pqd_submit_options), NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, PQD_TIMEOUT_DEFAULT, \
        PQD_TIMEOUT_DEFAULT, PQD_TIMEOUT_DEFAULT, PQD_TIMEOUT_DEFAULT, 0, PQD_MODE_FIFO,                   \
        PQD_PRIORITY_NORMAL, PQD_AT_LEAST_ONCE, PQD_DURABILITY_DEFAULT, {0}, 0, 0                          \
  }
static inline void pqd_submit_options_init(pqd_submit_options* options) {
  const pqd_submit_options defaults = PQD_SUBMIT_OPTIONS_INIT;
  *options = defaults;
}

/* Names something that was sent, so that its outcome can be asked for. A value: copy it, keep it, drop it.
 * The fields are the library's. */
typedef struct pqd_ticket {
  pqd_id id; /* of the job that it is about; zero for commands */
  uint64_t sequence;
  uint32_t generation;
  uint8_t lane;
  uint8_t durability;
  uint8_t partition;
  uint8_t reserved[1];
} pqd_ticket;

typedef struct pqd_outcome {
  size_t size;
  pqd_id id;         /* of the job; of the first one when `duplicate` */
  uint8_t duplicate; /* 1: the idempotency key was known, no job was made */
  uint8_t state;     /* of the first job when `duplicate`: a pqd_job_state plus 1; 0 = no longer known */
  uint8_t reserved[6];
} pqd_outcome;

#define PQD_OUTCOME_INIT                    \
  {                                         \
    sizeof(pqd_outcome), {{0}}, 0, 0, { 0 } \
  }

/* Sends a job; its id is known at once. `id` and `ticket` may be NULL. PQD_OK means sent: pqd_wait() or
 * pqd_flush() tell when it is accepted and durable. A field out of its range is refused at once with the
 * field's error, a full lane with PQD_QUEUE_FULL after submit_timeout_ms. A daemon that is away is waited for
 * first, up to reconnect_timeout_ms. */
PQD_API pqd_status pqd_submit(pqd_client* client, const pqd_submit_options* job, pqd_id* id,
                              pqd_ticket* ticket);
/* All or none, in one commit; all for one queue, with one durability. `jobs[i]` points to a job's options;
 * `tickets` has room for `count`, or is NULL. PQD_PAYLOAD_TOO_LARGE: together they do not fit the lane. */
PQD_API pqd_status pqd_submit_many(pqd_client* client, const pqd_submit_options* const* jobs, size_t count,
                                   pqd_ticket* tickets);

/* PQD_OK: accepted, and as durable as was asked for. Otherwise the daemon's refusal, or PQD_REQUEST_TIMEOUT:
 * not decided within the time. A refusal is remembered until 65 536 later ones have come, PQD_UNKNOWN_OUTCOME
 * afterwards. A job of durability memory that may run once at most is not sent again when the daemon has died
 * before it answered, nor the jobs that it was submitted with: PQD_UNKNOWN_OUTCOME, it may have run.
 * PQD_UNKNOWN_OUTCOME, too, when a job waited for room in its queue and the daemon came back with another
 * store.
 * `outcome` may be NULL. */
PQD_API pqd_status pqd_wait(pqd_client* client, const pqd_ticket* ticket, int64_t timeout_ms,
                            pqd_outcome* outcome);

typedef enum pqd_progress {
  PQD_PENDING = 0, /* not decided yet */
  PQD_DONE = 1,
  PQD_REFUSED = 2 /* the status of the refusal is what pqd_poll() returned */
} pqd_progress;

/* The same without waiting. PENDING and DONE come with PQD_OK. `outcome` may be NULL. */
PQD_API pqd_status pqd_poll(pqd_client* client, const pqd_ticket* ticket, pqd_progress* progress,
                            pqd_outcome* outcome);

/* Until everything sent so far is decided and as durable as it asked for. `refused` (may be NULL): submits
 * and settlements refused since the last flush; commands do not count, they tell their callers. */
PQD_API pqd_status pqd_flush(pqd_client* client, int64_t timeout_ms, uint64_t* refused);

/* The limit of this connection. */
PQD_API uint32_t pqd_max_payload_bytes(const pqd_client* client);

/* -- Looking ------------------------------------------------------------------------------------------- */

typedef enum pqd_job_state {
  PQD_STATE_PENDING = 0,
  PQD_STATE_ASSIGNED = 1,
  PQD_STATE_PROCESSING = 2,
  PQD_STATE_COMPLETED = 3,
  PQD_STATE_FAILED = 4,
  PQD_STATE_TIMEOUT = 5,
  PQD_STATE_CANCELLED = 6
} pqd_job_state;

/* Why an attempt or a job ended as it did. */
typedef enum pqd_reason {
  PQD_REASON_NONE = 0,
  PQD_REASON_FAILED_BY_CONSUMER = 1,
  PQD_REASON_LEASE_EXPIRED = 2,
  PQD_REASON_CONSUMER_DIED = 3,
  PQD_REASON_DO_NOT_RETRY = 4,
  PQD_REASON_QUEUE_TIMEOUT = 5,
  PQD_REASON_CANCELLED = 6,
  PQD_REASON_DELIVERY_LOST = 7
} pqd_reason;

/* Which status the reason stands for: PQD_PROCESSING_TIMEOUT for an expired lease, PQD_WORKER_UNAVAILABLE for
 * a consumer that died, PQD_REQUEST_TIMEOUT for a job that waited too long; PQD_OK for what programs decided.
 */
PQD_API pqd_status pqd_status_of_reason(pqd_reason reason);

/* An attempt that did not succeed. */
typedef struct pqd_attempt_info {
  uint32_t attempt; /* 1-based */
  uint32_t uid;
  int32_t reason; /* pqd_reason */
  uint32_t reserved;
  int64_t when_ms;
  const char* error;
} pqd_attempt_info;

typedef struct pqd_job_info {
  size_t size;
  pqd_id id;
  const char* queue;
  const char* type;
  const char* subject;
  const char* note;     /* the latest progress note */
  const char* metadata; /* as submitted */
  const void* result;
  size_t result_bytes;
  const void* payload; /* NULL where the question does not bring it; `payload_bytes` holds in any case */
  size_t payload_bytes;
  const pqd_attempt_info* history; /* of dead letters */
  size_t history_count;
  int64_t created_ms;
  int64_t start_after_ms; /* not_before, or the end of the backoff */
  int64_t ready_ms;
  int64_t assigned_ms;
  int64_t lease_until_ms;
  int64_t finished_ms;
  uint32_t owner_uid;
  uint32_t attempts;
  uint32_t max_attempts;
  uint32_t failures; /* attempts that the consumer failed */
  uint32_t deaths;   /* attempts that ended with the consumer's death or an expired lease */
  uint8_t state;     /* pqd_job_state */
  uint8_t reason;    /* pqd_reason */
  uint8_t mode;
  uint8_t priority;
  uint8_t delivery;
  uint8_t durability;
  uint8_t progress; /* 0 to 100 */
  uint8_t cancel_requested;
  uint8_t parked;         /* waits for room in its queue, not accepted yet */
  uint8_t dlq;            /* stands in the dead letter queue */
  uint8_t reviewed;       /* a dead letter that somebody has looked into, in this life */
  uint8_t purged;         /* was a dead letter, whose payload is gone */
  const char* resolution; /* of the latest review of any life; "" = there was none */
  int64_t reviewed_ms;
  uint32_t reviewer_uid;
  uint32_t reserved;
} pqd_job_info;

typedef struct pqd_queue_info {
  size_t size;
  const char* name;
  uint64_t ready;
  uint64_t scheduled; /* waiting for their time or for the end of a backoff */
  uint64_t active;    /* assigned or processing */
  uint64_t parked;    /* waiting for room */
  uint64_t dlq;
  uint64_t bytes;
  uint64_t consumers;
  uint64_t max_bytes;
  int64_t oldest_ready_ms; /* when the longest waiting ready job became ready */
  uint32_t max_depth;
  uint32_t max_active;
  uint8_t paused;
  uint8_t draining;
  uint8_t reserved[6];
  uint64_t held;       /* waiting for jobs before them with the same ordering key */
  uint64_t collecting; /* waiting for their batches to be complete */
} pqd_queue_info;

typedef struct pqd_health_info {
  size_t size;
  int64_t now_ms;
  uint64_t queue_depth; /* pending, assigned and processing */
  uint64_t active_workers;
  uint64_t pending;
  uint64_t processing;
  uint64_t completed_recent; /* within the last hour */
  uint64_t failed_recent;
  uint64_t dlq_size;
  uint64_t capacity;
  double average_wait_ms;
  double average_processing_ms;
  double oldest_ready_age_ms;
  const char* degraded_reasons; /* a sentence a line; "" when healthy */
  uint8_t status;               /* 0 healthy, 1 degraded, 2 unhealthy: every submit is refused */
  uint8_t reserved[7];
} pqd_health_info;

static inline void pqd_job_info_init(pqd_job_info* info) {
  memset(info, 0, sizeof *info);
  info->size = sizeof *info;
}
static inline void pqd_health_info_init(pqd_health_info* info) {
  memset(info, 0, sizeof *info);
  info->size = sizeof *info;
}

typedef struct pqd_list_options {
  size_t size;
  const char* queue;  /* NULL = all */
  const char* type;   /* NULL = all */
  pqd_id older_than;  /* for the next page: the last id of this one; zero = the newest */
  int64_t since_ms;   /* created at or after; 0 = all */
  int64_t until_ms;   /* created before; 0 = all */
  uint32_t states;    /* a bit (1 << pqd_job_state) each; 0 = all */
  uint32_t limit;     /* 1 to 1 000, of dead letters 1 to 100; default 50 */
  uint32_t owner_uid; /* default 0xFFFFFFFF: everybody's */
  uint32_t reserved;  /* zero */
} pqd_list_options;

#define PQD_LIST_OPTIONS_INIT \
  { sizeof(pqd_list_options), NULL, NULL, {{0}}, 0, 0, 0, 50, UINT32_C(0xFFFFFFFF), 0 }

/* Called once for each; the struct and all it points to are valid during the call. Anything but 0 ends the
 * listing, which still returns PQD_OK. Must not call the client. */
typedef int (*pqd_job_callback)(const pqd_job_info* job, void* user);
typedef int (*pqd_queue_callback)(const pqd_queue_info* queue, void* user);

/* `info->size` must be set. What it points to is valid until the next call with this client. PQD_NOT_FOUND:
 * no such job, or not this caller's to see. */
PQD_API pqd_status pqd_get(pqd_client* client, const pqd_id* id, pqd_job_info* info);
/* Newest first. NULL options: the newest 50. */
PQD_API pqd_status pqd_list(pqd_client* client, const pqd_list_options* options, pqd_job_callback callback,
                            void* user);
/* One by name, or all (NULL). */
PQD_API pqd_status pqd_queues(pqd_client* client, const char* name, pqd_queue_callback callback, void* user);
/* Dead letters, newest first, with their history. */
PQD_API pqd_status pqd_dlq(pqd_client* client, const pqd_list_options* options, pqd_job_callback callback,
                           void* user);
/* One dead letter, with history and payload. */
PQD_API pqd_status pqd_dlq_get(pqd_client* client, const pqd_id* id, pqd_job_info* info);
PQD_API pqd_status pqd_health(pqd_client* client, pqd_health_info* info);

/* What a part of the answer to pqd_metrics() is about. */
typedef enum pqd_metrics_by {
  PQD_METRICS_ALL = 0,
  PQD_METRICS_QUEUE = 1,
  PQD_METRICS_TYPE = 2
} pqd_metrics_by;

/* Milliseconds; percentiles are at most 1/16 off. All zero when `count` is. */
typedef struct pqd_times {
  uint64_t count;
  double average_ms;
  double p50_ms;
  double p95_ms;
  double p99_ms;
  double max_ms;
} pqd_times;

/* Counts are of what happened in the time, whenever the job came. */
typedef struct pqd_metrics_info {
  size_t size;
  const char* name; /* of the queue or type; "" for all */
  int64_t from_ms;  /* what is really covered: whole minutes or hours, up to now */
  int64_t to_ms;
  int64_t resolution_ms; /* 60 000 or 3 600 000 */
  uint64_t submitted;
  uint64_t completed;
  uint64_t failed;    /* for good */
  uint64_t timed_out; /* waited longer than their queue_timeout */
  uint64_t cancelled;
  uint64_t retried;     /* attempts without success that have another after them */
  uint64_t redriven;    /* dead letters that began a new life */
  double throughput;    /* completed a second */
  double success_rate;  /* completed of those that completed, failed or timed out, 0 to 1; 1 when there are
                           none */
  pqd_times wait;       /* from becoming ready to each assignment */
  pqd_times processing; /* from the assignment to the completion, of attempts that completed */
  uint32_t left_out;    /* of all: queues and types beyond the limit */
  uint8_t by;           /* pqd_metrics_by */
  uint8_t reserved[3];
} pqd_metrics_info;

typedef struct pqd_metrics_options {
  size_t size;
  int64_t since_ms;    /* what happened at or after; 0 = as far back as there are figures, 18 months */
  int64_t until_ms;    /* what happened before; 0 = up to now */
  const char* queue;   /* NULL = all */
  const char* type;    /* NULL = all */
  uint32_t limit;      /* of queues and of types, the busiest first: 1 to 1 000, the default */
  uint8_t by_queue;    /* 1: each queue, too */
  uint8_t by_type;     /* 1: each type, too */
  uint8_t reserved[2]; /* zero */
} pqd_metrics_options;

#define PQD_METRICS_OPTIONS_INIT                                     \
  {                                                                  \
    sizeof(pqd_metrics_options), 0, 0, NULL, NULL, 1000, 0, 0, { 0 } \
  }
static inline void pqd_metrics_options_init(pqd_metrics_options* options) {
  const pqd_metrics_options defaults = PQD_METRICS_OPTIONS_INIT;
  *options = defaults;
}

/* Called once for each part, as pqd_queue_callback. */
typedef int (*pqd_metrics_callback)(const pqd_metrics_info* part, void* user);

/* What happened in a time: first all together, then by queue, then by type. NULL options: all there is, in
 * one. Per minute when all of the time is within the last 24 hours, per hour otherwise; jobs of durability
 * memory are not counted, and what happened within the last checkpoint interval (1 s) may be missing.
 * PQD_INVALID_REQUEST: nothing of the time can be there. PQD_NOT_FOUND: no such queue, or no job of the type
 * yet. */
PQD_API pqd_status pqd_metrics(pqd_client* client, const pqd_metrics_options* options,
                               pqd_metrics_callback callback, void* user);

/* What a job waits for. */
typedef enum pqd_awaits {
  PQD_AWAITS_NOTHING = 0,    /* it is finished */
  PQD_AWAITS_ROOM = 1,       /* for room in its full queue */
  PQD_AWAITS_TIME = 2,       /* for not_before */
  PQD_AWAITS_BACKOFF = 3,    /* for its next attempt */
  PQD_AWAITS_KEY = 4,        /* for jobs before it with its ordering key */
  PQD_AWAITS_RESUME = 5,     /* its queue is paused */
  PQD_AWAITS_MAX_ACTIVE = 6, /* as many jobs of its queue are in hand as may be */
  PQD_AWAITS_CONSUMER = 7,   /* nobody takes its type */
  PQD_AWAITS_CREDIT = 8,     /* everybody who takes its type has both hands full */
  PQD_AWAITS_TURN = 9,       /* ready, behind others */
  PQD_AWAITS_SETTLING = 10,  /* a consumer has it */
  PQD_AWAITS_BATCH = 11      /* for its batch to be full or old enough */
} pqd_awaits;

typedef struct pqd_explanation {
  size_t size;
  pqd_id id;
  const char* queue;
  const char* type;
  const char* text;   /* what it waits for, in words */
  pqd_id behind;      /* PQD_AWAITS_KEY: the first of the jobs before it; zero = not the caller's to see */
  uint64_t ahead;     /* jobs before it; counted up to 100 000 */
  uint64_t consumers; /* subscriptions of its queue */
  uint64_t active;    /* jobs of its queue in hand */
  int64_t until_ms;   /* when the wait ends by itself; 0 = never */
  int64_t timeout_ms; /* when a ready job's queue timeout ends it; 0 = never */
  uint64_t holder;    /* the session of who has it */
  uint32_t holder_pid;
  uint32_t holder_uid;
  uint32_t attempts;
  uint32_t max_attempts;
  uint8_t awaits; /* pqd_awaits */
  uint8_t state;  /* pqd_job_state */
  uint8_t reason; /* pqd_reason */
  uint8_t cancel_requested;
  uint8_t reserved[4];
} pqd_explanation;

static inline void pqd_explanation_init(pqd_explanation* explanation) {
  memset(explanation, 0, sizeof *explanation);
  explanation->size = sizeof *explanation;
}

/* Why the job is where it is. What `explanation` points to is valid until the next call with this client. */
PQD_API pqd_status pqd_explain(pqd_client* client, const pqd_id* id, pqd_explanation* explanation);

/* -- Watching: what changes, as it happens ------------------------------------------------------------- */

typedef enum pqd_change {
  PQD_CHANGE_GAP = 0, /* no change: `lost` of them were left out */
  PQD_CHANGE_SUBMITTED = 1,
  PQD_CHANGE_READY = 2,
  PQD_CHANGE_ASSIGNED = 3,
  PQD_CHANGE_STARTED = 4,
  PQD_CHANGE_PROGRESS = 5,
  PQD_CHANGE_EXTENDED = 6,
  PQD_CHANGE_RELEASED = 7,
  PQD_CHANGE_ATTEMPT_FAILED = 8, /* another attempt will follow */
  PQD_CHANGE_COMPLETED = 9,
  PQD_CHANGE_FAILED = 10,
  PQD_CHANGE_TIMED_OUT = 11,
  PQD_CHANGE_CANCELLED = 12,
  PQD_CHANGE_CANCEL_REQUESTED = 13,
  PQD_CHANGE_REDRIVEN = 14,
  PQD_CHANGE_REVIEWED = 16, /* a dead letter */
  PQD_CHANGE_PURGED = 17
} pqd_change;

typedef struct pqd_event {
  size_t size;
  pqd_id id; /* zero for a gap */
  const char* queue;
  const char* type;
  int64_t when_ms;
  uint64_t number; /* of changes of this watch so far, those that were left out included */
  uint64_t lost;   /* of a gap; 0 = nobody knows how many */
  uint32_t watch;
  uint32_t owner_uid;
  uint32_t attempt;
  uint8_t change;      /* pqd_change */
  uint8_t state;       /* pqd_job_state, after the change */
  uint8_t reason;      /* pqd_reason */
  uint8_t progress;    /* 0 to 100 */
  uint8_t interrupted; /* of a gap: the daemon's engine was another one meanwhile */
  uint8_t reserved[7];
} pqd_event;

static inline void pqd_event_init(pqd_event* event) {
  memset(event, 0, sizeof *event);
  event->size = sizeof *event;
}

typedef struct pqd_watch_options {
  size_t size;
  const char* queue;  /* NULL = all; it need not be there yet */
  const char* type;   /* NULL = all */
  pqd_id job;         /* zero = all */
  uint32_t states;    /* only changes that lead to one of these, a bit (1 << pqd_job_state) each; 0 = all */
  uint32_t owner_uid; /* default 0xFFFFFFFF: everybody's that this caller may see */
  uint32_t last;      /* first so many of the latest changes (pqd_watch(): of each partition, if there are
                       * several and neither queue nor job is named); the daemon remembers about a thousand */
  uint32_t reserved;  /* zero */
} pqd_watch_options;

#define PQD_WATCH_OPTIONS_INIT \
  { sizeof(pqd_watch_options), NULL, NULL, {{0}}, 0, UINT32_C(0xFFFFFFFF), 0, 0 }

/* Called once for each; the struct and all it points to are valid during the call. Anything but 0 ends it.
 * Must not call the client. */
typedef int (*pqd_event_callback)(const pqd_event* event, void* user);

/* Changes are told from here on, each once it is as durable as its job asked for. NULL options: all that this
 * caller may see. It survives reconnects; what happened meanwhile is a gap. `number` may be NULL.
 * PQD_INVALID_REQUEST: the client has 16. PQD_UNAVAILABLE: this user has 32, or there are 64. */
PQD_API pqd_status pqd_watch(pqd_client* client, const pqd_watch_options* options, uint32_t* number);
PQD_API pqd_status pqd_unwatch(pqd_client* client, uint32_t number);
/* The next event of any watch. `event->size` must be set. What it points to is valid until the next call with
 * this client. PQD_REQUEST_TIMEOUT: none came within the time. Who does not keep up loses events, and is told
 * how many in their place. */
PQD_API pqd_status pqd_next_event(pqd_client* client, int64_t timeout_ms, pqd_event* event);
/* The latest changes, `options->last` at most, oldest first. */
PQD_API pqd_status pqd_recent_events(pqd_client* client, const pqd_watch_options* options,
                                     pqd_event_callback callback, void* user);

/* -- Commanding: these wait until they are durable ------------------------------------------------------ */

/* `running`: also a job in a consumer's hands, which is asked to stop. PQD_INVALID_STATUS, PQD_NOT_FOUND. */
PQD_API pqd_status pqd_cancel(pqd_client* client, const pqd_id* id, int running);
/* Back from the dead letters into a new life. */
PQD_API pqd_status pqd_redrive(pqd_client* client, const pqd_id* id);
/* The caller looked into a dead letter. `resolution`: 1 to 1 024 bytes. */
PQD_API pqd_status pqd_review(pqd_client* client, const pqd_id* id, const char* resolution);
/* Drops a dead letter with its payload; the job stays as it ended. */
PQD_API pqd_status pqd_purge(pqd_client* client, const pqd_id* id);

typedef enum pqd_queue_action PQD_ENUM_BASE {
  PQD_QUEUE_PAUSE = 1,
  PQD_QUEUE_RESUME = 2,
  PQD_QUEUE_DRAIN = 3
} pqd_queue_action;
PQD_API pqd_status pqd_queue_control(pqd_client* client, const char* queue, pqd_queue_action action);

/* A setting of a queue by the name that it has in the configuration, such as "max_active". Numbers as they
 * are, bytes, milliseconds; of "fair" 0 = off, 1 = user, 2 = key. */
typedef struct pqd_queue_setting {
  const char* name;
  uint64_t value;
} pqd_queue_setting;
/* Sets all of them or none, over the configuration, for good: until pqd_queue_reset(), restarts included.
 * Done when it returns PQD_OK. PQD_INVALID_REQUEST: no such setting, a value out of its range, or a backoff
 * longer than its cap; pqd_last_error() says which. PQD_UNAUTHORIZED: for administrators only. */
PQD_API pqd_status pqd_queue_set(pqd_client* client, const char* queue, const pqd_queue_setting* settings,
                                 size_t count);
PQD_API pqd_status pqd_queue_reset(pqd_client* client, const char* queue);

/* -- Schedules: jobs that the daemon makes by itself ---------------------------------------------------- */

typedef struct pqd_cron_options {
  size_t size;
  const char* name;    /* required; 1 to 64 of A-Z a-z 0-9 . _ : - */
  const char* spec;    /* required; "0 2 * * mon-fri", "@hourly", "@every 90s" */
  const char* zone;    /* an IANA name, such as "Europe/Berlin"; NULL = "UTC" */
  uint8_t replace;     /* 1: one of this name may be there, and goes */
  uint8_t reserved[7]; /* zero */
} pqd_cron_options;

#define PQD_CRON_OPTIONS_INIT                            \
  {                                                      \
    sizeof(pqd_cron_options), NULL, NULL, NULL, 0, { 0 } \
  }
static inline void pqd_cron_options_init(pqd_cron_options* options) {
  const pqd_cron_options defaults = PQD_CRON_OPTIONS_INIT;
  *options = defaults;
}

typedef struct pqd_cron_info {
  size_t size;
  const char* name;
  const char* spec;
  const char* zone;
  const char* queue;
  const char* type;
  int64_t set_ms;
  int64_t next_ms;     /* when it is due; when `waiting`, since when; 0 = never again */
  int64_t last_ms;     /* when its last run was due; 0 = none yet */
  pqd_id last_id;      /* of that run's job; zero = it made none, and `last_status` says why */
  int32_t last_status; /* pqd_status */
  uint32_t owner_uid;
  uint32_t payload_bytes;
  uint8_t waiting; /* due, and waits for room in its queue or on the disk */
  uint8_t reserved[3];
} pqd_cron_info;

/* Called once for each, as pqd_queue_callback. */
typedef int (*pqd_cron_callback)(const pqd_cron_info* schedule, void* user);

/* `job`: as for pqd_submit(), without a delay and an idempotency key, not of durability memory, 16 KiB at
 * most with all it has. PQD_INVALID_REQUEST: the spec, the zone, or as many schedules, queues or types as
 * there can be; pqd_last_error() says which. PQD_DUPLICATE_REQUEST: there is one of this name, and `replace`
 * is not set. PQD_UNAUTHORIZED. */
PQD_API pqd_status pqd_cron_set(pqd_client* client, const pqd_cron_options* options,
                                const pqd_submit_options* job);
/* PQD_NOT_FOUND: no such schedule, or not this caller's to see. */
PQD_API pqd_status pqd_cron_remove(pqd_client* client, const char* name);
/* One by name, or all that the caller may see (NULL). */
PQD_API pqd_status pqd_cron_list(pqd_client* client, const char* name, pqd_cron_callback callback,
                                 void* user);

/* -- Working ------------------------------------------------------------------------------------------- */

typedef struct pqd_subscribe_options {
  size_t size;
  const char* queue;        /* NULL = "default" */
  const char* const* types; /* `type_count` names; none = every type */
  size_t type_count;        /* at most 64 */
  uint32_t credits;         /* most jobs held unsettled under it, 1 to 65 536; default 1 */
  uint32_t reserved;        /* zero */
} pqd_subscribe_options;

#define PQD_SUBSCRIBE_OPTIONS_INIT \
  { sizeof(pqd_subscribe_options), NULL, NULL, 0, 1, 0 }

/* Returns once the daemon has taken it. It survives reconnects. `number` may be NULL. PQD_INVALID_REQUEST:
 * the client has 256 already (for each partition), or a queue or type of it is new and this user may name no
 * more (1 024 queues, 16 384 types; administrators as many as there can be). */
PQD_API pqd_status pqd_subscribe(pqd_client* client, const pqd_subscribe_options* options, uint32_t* number);
/* Jobs in hand stay in hand. Those that have come and were not handed out still are, by pqd_next(), or go
 * back at pqd_close(). */
PQD_API pqd_status pqd_unsubscribe(pqd_client* client, uint32_t number);

/* The next job. PQD_REQUEST_TIMEOUT and NULL: none came within the time. Every delivery is settled (complete,
 * fail, release) or left to its lease, and freed in either case. */
PQD_API pqd_status pqd_next(pqd_client* client, int64_t timeout_ms, pqd_delivery** delivery);
/* Frees the memory, settles nothing. NULL is allowed. Also after pqd_close(). */
PQD_API void pqd_delivery_free(pqd_delivery* delivery);

/* All jobs of the next batch, in their order, once the last of them has come; a job of another mode is a
 * batch of one. PQD_REQUEST_TIMEOUT and NULL: no whole batch came within the time; what has come of it is
 * kept for later. Each job has its own lease, which began when the batch was assigned, and is settled on its
 * own; the batch holds one credit until the last is. Jobs that pqd_next() took are not in it. When the daemon
 * was interrupted between a batch's jobs, those that went to others meanwhile are not in it either; it is
 * never waited for in vain. */
PQD_API pqd_status pqd_next_batch(pqd_client* client, int64_t timeout_ms, pqd_batch** batch);
PQD_API size_t pqd_batch_size(const pqd_batch* batch); /* 1 and more; 0 for NULL */
/* 0-based, NULL behind the last. It belongs to the batch, and is valid until that is freed. */
PQD_API const pqd_delivery* pqd_batch_delivery(const pqd_batch* batch, size_t index);
/* As pqd_delivery_free(), with all its deliveries. */
PQD_API void pqd_batch_free(pqd_batch* batch);

/* All of these are valid until the delivery is freed. */
PQD_API pqd_id pqd_delivery_id(const pqd_delivery* delivery);
PQD_API const void* pqd_delivery_payload(const pqd_delivery* delivery, size_t* bytes);
PQD_API const char* pqd_delivery_queue(const pqd_delivery* delivery);
PQD_API const char* pqd_delivery_type(const pqd_delivery* delivery);
PQD_API const char* pqd_delivery_subject(const pqd_delivery* delivery);      /* "" = none */
PQD_API const char* pqd_delivery_traceparent(const pqd_delivery* delivery);  /* "" = none */
PQD_API const char* pqd_delivery_ordering_key(const pqd_delivery* delivery); /* "" = none */
PQD_API const char* pqd_delivery_metadata(const pqd_delivery* delivery);     /* "" = none */
PQD_API uint32_t pqd_delivery_attempt(const pqd_delivery* delivery);         /* 1-based */
PQD_API uint32_t pqd_delivery_max_attempts(const pqd_delivery* delivery);
PQD_API uint32_t pqd_delivery_priority(const pqd_delivery* delivery);
PQD_API pqd_mode pqd_delivery_get_mode(const pqd_delivery* delivery);
PQD_API uint32_t pqd_delivery_owner_uid(const pqd_delivery* delivery);
PQD_API uint32_t pqd_delivery_subscription(const pqd_delivery* delivery);
PQD_API int64_t pqd_delivery_lease_until_ms(const pqd_delivery* delivery); /* as delivered, not as extended */

/* 1: stop, a cancellation was asked for or the lease is known to be lost. Looks at what has come, as
 * pqd_process() does; waits for nothing but a handshake when the daemon has just come back. */
PQD_API int pqd_delivery_cancel_requested(pqd_client* client, const pqd_delivery* delivery);

/* Sent at once, decided later. With a NULL ticket nobody asks: a refusal is counted, see pqd_counters. With a
 * ticket, pqd_wait() tells: PQD_LEASE_LOST = drop the work, another attempt may be under way. */
PQD_API pqd_status pqd_start(pqd_client* client, const pqd_delivery* delivery, pqd_ticket* ticket);
/* `result`: at most 64 KiB, may be NULL. */
PQD_API pqd_status pqd_complete(pqd_client* client, const pqd_delivery* delivery, const void* result,
                                size_t result_bytes, pqd_ticket* ticket);
/* `error`: at most 1 KiB, may be NULL. `retry` 0: for good, whatever attempts are left. */
PQD_API pqd_status pqd_fail(pqd_client* client, const pqd_delivery* delivery, const char* error, int retry,
                            pqd_ticket* ticket);
/* Given back at once, the attempt is not spent. A job that may run once at most fails instead, with
 * PQD_REASON_DELIVERY_LOST: its payload has been seen. */
PQD_API pqd_status pqd_release(pqd_client* client, const pqd_delivery* delivery, pqd_ticket* ticket);
/* `extend_ms`: the lease's new length from now, 0 = the job's processing timeout. `progress` 0 to 100.
 * `note`: at most 1 KiB, may be NULL. */
PQD_API pqd_status pqd_extend(pqd_client* client, const pqd_delivery* delivery, uint32_t extend_ms,
                              uint32_t progress, const char* note, pqd_ticket* ticket);

/* -- Counters, since pqd_connect() ---------------------------------------------------------------------- */

typedef struct pqd_counters {
  size_t size;
  uint64_t submitted;
  uint64_t submits_refused;
  uint64_t settlements_refused;
  uint64_t deliveries;
  uint64_t reconnects;
  uint64_t resubmitted;
} pqd_counters;

/* `counters->size` must be set. */
PQD_API void pqd_get_counters(const pqd_client* client, pqd_counters* counters);

#ifdef __cplusplus
}
#endif

#endif
