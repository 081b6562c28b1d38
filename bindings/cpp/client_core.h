// What a Client is inside: the current session, what is remembered across sessions, and the one way to wait.
//
// Every operation runs in the caller's thread and has the same shape: write a record, publish, ring; then
// wait until a condition over what has come holds. pump() takes in all that came; wait_until() alternates
// between it and sleeping on the doorbell and the socket at once, so that the daemon's death wakes like its
// answer does. A dead socket is met in wait_until() alone: restore() opens the next session and resubmits.
// One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>

#include "bindings/cpp/client_session.h"
#include "bindings/cpp/deadline.h"
#include "bindings/cpp/fork_guard.h"
#include "bindings/cpp/inbox.h"
#include "bindings/cpp/outcomes.h"
#include "bindings/cpp/questions.h"
#include "bindings/cpp/requests.h"
#include "bindings/cpp/watches.h"

namespace pqd {

class ClientCore {
 public:
  explicit ClientCore(const ConnectOptions& options);
  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;
  ~ClientCore();
  Result<void> connect();

  // client_submit.cpp
  Result<Ticket> submit(const SubmitRequest& request);
  Result<std::vector<Ticket>> submit_many(std::span<const SubmitRequest> requests);

  // client_outcome.cpp
  Result<Outcome> wait(const Ticket& ticket, Milliseconds timeout);
  Result<std::optional<Outcome>> poll(const Ticket& ticket);
  Result<FlushReport> flush(Milliseconds timeout);

  // client_command.cpp
  Result<Answer> ask(const QueryHead& head, std::string_view queue, std::string_view type);
  Result<void> command(ByteView record, const JobId& id);
  // One such record for each id, pipelined.
  Result<ManyOutcome> command_many(std::span<const JobId> ids, Bytes (*write)(const JobId& id));
  // One record into the control lane, waiting for room there.
  Result<Ticket> send_control(ByteView record, const JobId& id);

  // client_cron.cpp
  Result<void> cron_set(const ScheduleRequest& request);

  // client_consume.cpp
  Result<uint32_t> subscribe(const Subscription& subscription);
  Result<void> unsubscribe(uint32_t number);
  Result<std::optional<DeliveredJob>> next(Milliseconds timeout);
  Result<std::vector<DeliveredJob>> next_batch(Milliseconds timeout);
  Result<Ticket> settle(const DeliveredJob& job, RecordKind kind, SettleHead head, ByteView body);
  bool cancel_requested(const DeliveredJob& job);

  // client_watch.cpp
  Result<uint32_t> watch(const WatchOptions& options);
  Result<void> unwatch(uint32_t number);
  Result<std::optional<JobEvent>> next_event(Milliseconds timeout);
  Result<std::vector<JobEvent>> recent_events(const WatchOptions& options);

  // client_events.cpp
  int fd();
  Result<void> process();
  bool arm();

  const ClientSession& session() const { return *session_; }
  const std::string& socket_path() const { return socket_path_; }
  const ClientCounters& counters() const { return counters_; }

 private:
  enum class Waited : uint8_t { kReady, kTimeout, kAway };
  struct LiveSubscription {
    Bytes record;
    Ticket ticket;         // of the record, once sent
    bool sent = false;     // in the current session
    bool decided = false;  // the daemon has taken it
  };
  struct Probe {
    ClientOutcomes::Key key;
    ClientQuestions::Handle question = 0;
  };

  // client_core.cpp
  Result<void> check_usable();
  Failure away_failure() const;
  Failure waited_failure(Waited waited, std::string_view what) const;
  Milliseconds submit_timeout() const { return Milliseconds(options_.submit_timeout_ms); }
  Milliseconds answer_timeout() const { return Milliseconds(options_.answer_timeout_ms); }

  // client_submit.cpp
  SubmitView view_of(const SubmitRequest& request) const;
  SubmitFault check_fits(const SubmitView& view, Lane lane) const;
  Failure fault_failure(const SubmitFault& fault, const SubmitView& view) const;
  void write_one(SubmitView& view, Lane lane, uint32_t bytes);
  Result<std::vector<Ticket>> send_batch(std::span<SubmitView> views, Lane lane);
  // Room for this many padded bytes; REQUIRES: not more than the lane is long.
  Result<void> wait_for_room(Lane lane, uint64_t bytes, Milliseconds timeout);

  // client_wait.cpp
  // Takes in all that came, sends what had to wait for it; true when something came.
  bool pump();
  bool read_outcomes();
  bool read_deliveries();
  bool read_answers();
  void send_unsent();
  void tend_orphans();
  // `ready` may take what it finds (an answer, a verdict): once it has said true it is not asked again.
  Waited wait_until(const std::function<bool()>& ready, Deadline deadline);
  bool spin();
  void sleep(Deadline deadline);
  void arm_waiter();
  void disarm_waiter();
  void look_at_socket();
  // Something came on the socket: a renewal, or the session's end.
  void hear();

  // client_command.cpp
  std::optional<Ticket> try_send_control(ByteView record, const JobId& id);

  // client_consume.cpp
  std::optional<Failure> check_subscriptions();
  // Something for next(), or for next_batch(), whichever was asked last.
  bool any_jobs() const { return by_batch_ ? inbox_.has_batch() : !inbox_.empty(); }
  // Until there is, for `timeout`.
  Result<void> wait_for_jobs(bool by_batch, Milliseconds timeout);
  // At the end: jobs that nobody has taken go back unspent.
  void give_back();
  bool release_inbox();

  // client_watch.cpp
  Result<ClientWatches::Handle> begin_watch(const WatchOptions& options, bool follow);
  void drop_watch(ClientWatches::Handle handle);

  // client_reconnect.cpp
  Hello hello() const;
  void lost();
  bool restore_once();
  void restore_if_due();
  Waited restore(Deadline deadline);
  void take_over(std::unique_ptr<ClientSession> fresh);
  Deadline give_up_at() const;

  // client_events.cpp
  void watch_session();
  void set_retry_timer();

  ConnectOptions options_;
  std::string socket_path_;
  ForkGuard guard_;
  std::unique_ptr<ClientSession> session_;  // the last one when away; never empty once connected
  ClientOutcomes outcomes_;
  ClientInbox inbox_;
  bool by_batch_ = false;
  ClientQuestions questions_;
  ClientWatches watches_;
  std::map<uint32_t, LiveSubscription> subscriptions_;
  std::optional<Probe> probe_;
  Deadline::Clock::time_point next_probe_{};
  ClientCounters counters_;
  uint64_t engine_epoch_ = 0;  // the one that the open questions and watches were told to
  bool armed_ = false;
  unsigned spin_rounds_ = 0;
  Deadline::Clock::time_point socket_seen_{};  // when look_at_socket() last did

  // While the daemon is away.
  bool away_ = false;
  Deadline::Clock::time_point lost_since_{};
  Deadline::Clock::time_point next_attempt_{};
  Milliseconds backoff_{0};
  Failure away_reason_;

  // For event loops, made when asked for.
  UniqueFd events_;
  UniqueFd retry_timer_;
};

}  // namespace pqd
