// A connection to the daemon: submit jobs, take and settle them, ask and command.
//
//   auto client = pqd::Client::connect({});
//   auto ticket = client->submit({.type = "mail", .payload = pqd::as_bytes("hello")});
//   auto outcome = client->wait(*ticket, pqd::Milliseconds(1000));
//
// Thread rule: one thread at a time, no threads of its own, no signal handlers. Threads that submit in
// parallel take a client each. After fork() the child cannot use it: everything answers kUnavailable.
//
// A daemon that goes away and comes back is met inside the operation that notices: it reconnects, sends again
// under the same ids what was not acknowledged, and goes on. Only when `reconnect_timeout_ms` has passed does
// an operation end in kUnavailable, or kUnknownOutcome for what had been written and not answered; with a
// `submit_timeout_ms` of 0, submits and settlements do so at once.
//
// Results are values. Every operation may return kUnavailable; further errors are named where they arise.
#pragma once

#include <memory>
#include <span>

#include "bindings/cpp/delivered_job.h"
#include "bindings/cpp/failure.h"
#include "bindings/cpp/requests.h"
#include "core/explanation.h"
#include "core/job_event.h"
#include "core/metrics_info.h"
#include "core/schedule_info.h"

namespace pqd {

class ClientRouter;

class Client {
 public:
  // kUnavailable: no daemon there; kUnauthorized: it may not be reached or does not want this user;
  // kInvalidRequest: sizes or socket path out of range; kSystemError: no common version, no memory.
  static Result<Client> connect(const ConnectOptions& options);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  // What was submitted and not flushed may be lost with the connection: flush() first. Jobs that next() has
  // not handed out go back to their queue unspent, which may take up to a second; one that may run once at
  // most fails with Reason::kDeliveryLost instead.
  ~Client();

  // The job's id is in the ticket at once; its outcome comes later. A field out of its range is refused here,
  // with the field's error. kQueueFull: no room in the lane within submit_timeout_ms. Does not allocate.
  Result<Ticket> submit(const SubmitRequest& request);
  // All or none, all in one commit. REQUIRES: one queue and one durability, else kInvalidRequest.
  Result<std::vector<Ticket>> submit_many(std::span<const SubmitRequest> requests);

  // The outcome is as durable as the submit asked for. The failure is the daemon's refusal, or
  // kRequestTimeout: not decided within the time. It may be asked for again: a refusal is remembered until
  // 65'536 later ones have come, kUnknownOutcome afterwards. A job of durability `memory` that may run once
  // at most is not sent again when the daemon has died before it answered, nor the jobs that it was submitted
  // with: kUnknownOutcome, it may have run. kUnknownOutcome, too, when a job waited for room in its queue and
  // the daemon came back with another store.
  Result<Outcome> wait(const Ticket& ticket, Milliseconds timeout);
  // The same without waiting; nothing = not decided yet.
  Result<std::optional<Outcome>> poll(const Ticket& ticket);
  // Until everything sent so far is decided and as durable as it asked for.
  Result<FlushReport> flush(Milliseconds timeout);

  // kNotFound: no such job, or not this caller's to see.
  Result<JobInfo> get(const JobId& id);
  Result<std::vector<JobInfo>> list(const ListFilter& filter);  // newest first
  Result<std::vector<QueueInfo>> queues(std::string_view name = {});
  Result<std::vector<JobInfo>> dlq(const ListFilter& filter);  // newest first, with history
  Result<JobInfo> dlq_get(const JobId& id);                    // with history and payload
  Result<HealthInfo> health();
  // What happened in a time: first all together, then by queue and by type as asked for. Jobs of durability
  // `memory` are not counted; what happened within the last checkpoint interval (1 s) may be missing. Each
  // says which time is really covered. kInvalidRequest: nothing of it can be there; kNotFound: no such queue
  // or type.
  Result<std::vector<MetricsInfo>> metrics(const MetricsQuery& query);
  // For administrators: a copy of the store as it stands is made in a directory beside it, as the
  // beginning of a backup; the next one takes its place. Returns the directory. May take longer than other
  // answers: see ConnectOptions::answer_timeout_ms. kUnauthorized, kNoSpace.
  Result<std::string> copy_store();
  // Why the job is where it is. kNotFound as in get().
  Result<Explanation> explain(const JobId& id);

  // Changes of jobs are told from here on, each once it is as durable as its job asked for. Returns the
  // watch's number, which its events carry. It survives reconnects and changes of engine; what happened
  // meanwhile is a gap. kUnavailable, kInvalidRequest: as many watches as may be are there.
  Result<uint32_t> watch(const WatchOptions& options);
  Result<void> unwatch(uint32_t number);  // kNotFound
  // The next event of any watch; nothing when none came within the time (0 = only what is there). Who does
  // not keep up loses events, and is told how many in their place: ChangeKind::kGap.
  Result<std::optional<JobEvent>> next_event(Milliseconds timeout);
  // The latest changes, oldest first, `last` at most: the daemon remembers about a thousand, of all users and
  // since its engine's start.
  Result<std::vector<JobEvent>> recent_events(const WatchOptions& options);

  // Commands wait until they are durable. kNotFound, kInvalidStatus, kUnauthorized.
  Result<void> cancel(const JobId& id, bool running = false);
  Result<void> redrive(const JobId& id);
  // Says that the caller looked into a dead letter; `resolution` 1 to limits::kNoteBytesMax bytes.
  Result<void> review(const JobId& id, std::string_view resolution);
  // Drops a dead letter with its payload; the job stays as it ended.
  Result<void> purge(const JobId& id);
  // The same for many, sent at once, each decided for itself. The failure is the first one that is not about
  // a job that was no dead letter any more; those before it are done, and the rest may be.
  Result<ManyOutcome> redrive_many(std::span<const JobId> ids);
  Result<ManyOutcome> purge_many(std::span<const JobId> ids);
  Result<void> queue_control(QueueAction action, std::string_view queue);
  // Those of `settings` that `keys` names, over the configuration's, until queue_reset(). kInvalidRequest:
  // one is out of its range, or the backoff is longer than its cap.
  Result<void> queue_configure(std::string_view queue, const QueueSettings& settings, QueueKeys keys);
  Result<void> queue_reset(std::string_view queue);

  // kInvalidRequest: a fault of the spec; a zone that the daemon does not know; too many schedules; a queue
  // or type that is new where there are as many as can be. The text says which. kDuplicateRequest: there is
  // one of this name, and `replace` is not set. kUnauthorized.
  Result<void> cron_set(const ScheduleRequest& request);
  // kNotFound: no such schedule, or not this caller's to see. A run that waits goes, too.
  Result<void> cron_remove(std::string_view name);
  // All that the caller may see, by name, or one. kNotFound when the one is not there.
  Result<std::vector<ScheduleInfo>> cron_list(std::string_view name = {});

  // Returns the subscription's number once the daemon has taken it. It survives reconnects. kInvalidRequest:
  // the client has 256 already (for each partition), or a queue or type is new and this user may name no
  // more.
  Result<uint32_t> subscribe(const Subscription& subscription);
  // Jobs in hand stay in hand. Those that have come and were not handed out still are, by next(), or go back
  // at the client's end.
  Result<void> unsubscribe(uint32_t number);
  // The next job; nothing when none came within the time (0 = only what is there).
  Result<std::optional<DeliveredJob>> next(Milliseconds timeout);
  // All jobs of the next batch, in their order, once the last of them has come; a job of another mode is a
  // batch of one. Empty when no whole batch came within the time: what has come of it is kept for later. Each
  // job has its own lease, which began when the batch was assigned, and is settled on its own; the batch
  // holds one credit until the last is. Jobs that next() took are not in it. When the daemon was interrupted
  // between a batch's jobs, those that went to others meanwhile are not in it either; it is never waited for
  // in vain.
  Result<std::vector<DeliveredJob>> next_batch(Milliseconds timeout);

  // Settlements are sent at once and decided later: a ticket whose outcome nobody asks for is counted
  // (counters().settlements_refused) when refused. kLeaseLost: drop the work.
  Result<Ticket> start(const DeliveredJob& job);
  Result<Ticket> complete(const DeliveredJob& job, ByteView result = {});
  Result<Ticket> fail(const DeliveredJob& job, std::string_view error, bool retry = true);
  // Given back at once, the attempt is not spent. A job that may run once at most fails with
  // Reason::kDeliveryLost instead: its payload has been seen.
  Result<Ticket> release(const DeliveredJob& job);
  Result<Ticket> extend(const DeliveredJob& job, const ExtendRequest& request);
  // Should the consumer stop: a cancellation was asked for, or the lease is known to be lost. Looks at what
  // has come, as process() does; waits for nothing but a handshake when the daemon has just come back.
  bool cancel_requested(const DeliveredJob& job);

  // For event loops: `fd` becomes readable when there is something to take in (-1: no descriptor left).
  //   for (;;) { while (auto job = client.next(0ms) ...) work; if (client.arm()) poll(fd); client.process();
  //   }
  int fd();
  // Takes in all that came. Never waits, except for a handshake when the daemon has just come back.
  Result<void> process();
  // True: sleep, `fd` will wake you. False: look again first, something came meanwhile. Jobs count by the one
  // of next() and next_batch() that was called last: for the latter a batch that is not whole yet is nothing.
  bool arm();

  uint64_t session() const;  // the daemon's number of it; changes with a reconnect
  uint32_t max_payload_bytes() const;
  const std::string& socket() const;  // the path that was found
  const ClientCounters& counters() const;

 private:
  Result<std::vector<JobInfo>> dlq_by_life(const ListFilter& filter);

  explicit Client(std::unique_ptr<ClientRouter> router);

  std::unique_ptr<ClientRouter> router_;
};

}  // namespace pqd
