// A client's dealings with one partition of the daemon: the current session, and what is remembered across
// sessions. The router that owns it has one for each partition that the client uses.
//
// Every operation runs in the caller's thread and has the same shape: write a record, publish, ring; then
// wait until a condition over what has come holds. pump() takes in all that came; the router's wait_until()
// alternates between it and sleeping on all doorbells and sockets at once, so that the daemon's death wakes
// like its answer does. A dead socket is met there alone: the next session is opened, and what the old one
// had not answered sent again.
// One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "bindings/cpp/client_session.h"
#include "bindings/cpp/deadline.h"
#include "bindings/cpp/inbox.h"
#include "bindings/cpp/outcomes.h"
#include "bindings/cpp/questions.h"
#include "bindings/cpp/requests.h"
#include "bindings/cpp/watches.h"
#include "core/partition.h"

struct pollfd;

namespace pqd {

class ClientRouter;

class ClientCore {
 public:
  // `router` owns it.
  ClientCore(ClientRouter& router, PartitionNo partition);
  ClientCore(const ClientCore&) = delete;
  ClientCore& operator=(const ClientCore&) = delete;
  ~ClientCore();
  Result<void> connect();

  PartitionNo partition() const { return partition_; }
  const ClientSession& session() const { return *session_; }
  // Nothing was ever sent through it, in this session or an earlier one.
  bool unused() const;
  // As if the daemon had.
  void hang_up() { lost(); }
  // In a forked child: our copy of the socket.
  void let_go() { session_->socket.reset(); }
  // At the end: jobs that nobody has taken go back unspent.
  void give_back(Deadline deadline);

  // client_submit.cpp
  Result<Ticket> submit(const SubmitRequest& request);
  Result<std::vector<Ticket>> submit_many(std::span<const SubmitRequest> requests);

  // client_outcome.cpp
  Result<Outcome> wait(const Ticket& ticket, Milliseconds timeout);
  Result<std::optional<Outcome>> poll(const Ticket& ticket);
  bool all_decided() const;
  FlushReport take_refusals() { return outcomes_.take_refusals(); }

  // client_command.cpp
  Result<void> command(ByteView record, const JobId& id);
  // One record into the control lane, waiting for room there.
  Result<Ticket> send_control(ByteView record, const JobId& id);
  ClientQuestions& questions() { return questions_; }

  // client_cron.cpp
  // REQUIRES: the name is one.
  Result<void> cron_set(const ScheduleRequest& request);
  static Failure schedule_exists(std::string_view name);

  // client_consume.cpp
  // `number`: one that no subscription of this client has.
  Result<void> subscribe(uint32_t number, const Subscription& subscription);
  Result<void> unsubscribe(uint32_t number);
  bool has_subscription(uint32_t number) const { return subscriptions_.contains(number); }
  // Those sent again after a reconnect may be refused by then; whoever waits for their jobs has to know.
  std::optional<Failure> check_subscriptions();
  ClientInbox& inbox() { return inbox_; }
  Result<Ticket> settle(const DeliveredJob& job, RecordKind kind, SettleHead head, ByteView body);

  // client_watch.cpp
  // `handle`: one that no watch of this client has in this partition.
  Result<void> watch(ClientWatches::Handle handle, const WatchOptions& options);
  Result<std::vector<JobEvent>> recent_events(ClientWatches::Handle handle, const WatchOptions& options);
  void drop_watch(ClientWatches::Handle handle);
  ClientWatches& watches() { return watches_; }

  // client_wait.cpp
  // Takes in all that came, sends what had to wait for it; true when something came.
  bool pump();
  uint32_t bell() const {
    // acquire: pairs with the release store of ring_if_waiting().
    return session_->down.header().bell.load(std::memory_order_acquire);
  }
  // None while the daemon is away.
  void arm_waiter();
  void disarm_waiter();
  void drain_waiter();
  // What to sleep on; REQUIRES: not away. And what became of it.
  void add_to(std::span<pollfd, 2> wanted) const;
  void woken(std::span<const pollfd, 2> wanted);
  // When it has something to do by itself. `waited_for`: somebody has to know when it is gone().
  Deadline wake_at(bool waited_for) const;
  // At most once a millisecond, unless it `must`.
  void look_at_socket(bool must = false);

  // client_reconnect.cpp
  bool away() const { return away_; }
  // For longer than operations wait.
  bool gone() const { return away_ && give_up_at().passed(); }
  void restore_if_due();
  Failure away_failure() const;

  // Into the descriptor for event loops, if there is one; nothing while the daemon is away.
  void watch_session();

 private:
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

  // client_submit.cpp
  SubmitView view_of(const SubmitRequest& request) const;
  SubmitFault check_fits(const SubmitView& view, Lane lane) const;
  Failure fault_failure(const SubmitFault& fault, const SubmitView& view) const;
  void write_one(SubmitView& view, Lane lane, uint32_t bytes);
  // The last record of the lane, just counted.
  Ticket ticket_of(const JobId& id, Lane lane, Durability durability);
  Result<std::vector<Ticket>> send_batch(std::span<SubmitView> views, Lane lane);
  // Room for this many padded bytes, `timeout` from when the daemon is there; REQUIRES: not more than the
  // lane is long.
  Result<void> wait_for_room(Lane lane, uint64_t bytes, Milliseconds timeout);

  // client_wait.cpp
  bool read_outcomes();
  bool read_deliveries();
  bool read_answers();
  void send_unsent();
  void tend_orphans();
  // Something came on the socket: a renewal, or the session's end.
  void hear();

  // client_command.cpp
  std::optional<Ticket> try_send_control(ByteView record, const JobId& id);

  // client_consume.cpp
  bool send_by(ByteView record, Deadline deadline);
  bool release_inbox(Deadline deadline);

  // client_cron.cpp
  Result<Answer> ask_here(QueryKind kind, std::string_view type = {});
  std::string fault_of_schedule(const ScheduleRequest& request);

  // client_watch.cpp
  Result<void> begin_watch(ClientWatches::Handle handle, const WatchOptions& options, bool follow);

  // client_reconnect.cpp
  Hello hello() const;
  Result<std::unique_ptr<ClientSession>> open_session();
  void lost();
  void unwatch_session();
  bool restore_once();
  void take_over(std::unique_ptr<ClientSession> fresh);
  Deadline give_up_at() const;

  ClientRouter& router_;
  const PartitionNo partition_;
  std::unique_ptr<ClientSession> session_;  // the last one when away; never empty once connected
  bool used_earlier_ = false;               // something was sent in a session before this one
  ClientOutcomes outcomes_;
  ClientInbox inbox_;
  ClientQuestions questions_;
  ClientWatches watches_;
  std::map<uint32_t, LiveSubscription> subscriptions_;
  bool subscribed_ = false;  // at some time: jobs may be here that nobody has taken
  std::vector<std::pair<ClientOutcomes::Key, JobId>> to_probe_;  // whose turn comes before all are asked anew
  unsigned probed_in_vain_ = 0;                                  // since the last pause
  std::optional<Probe> probe_;
  Deadline::Clock::time_point next_probe_{};
  uint64_t engine_epoch_ = 0;  // the one that the open questions and watches were told to
  bool armed_ = false;
  Deadline::Clock::time_point socket_seen_{};  // when look_at_socket() last did

  // While the daemon is away.
  bool away_ = false;
  Deadline::Clock::time_point lost_since_{};
  Deadline::Clock::time_point next_attempt_{};
  Milliseconds backoff_{0};
  Failure away_reason_;
};

}  // namespace pqd
