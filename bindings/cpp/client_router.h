// What a Client is inside: its sessions, one for each partition of the daemon that it uses, and the one way
// to wait, over all of them at once. A session is opened when something is first meant for its partition: the
// name of a queue, a ticket, a job in hand or the tag in a job's id say which that is. What is about no queue
// in particular is asked in all partitions, and answered as if there were one. With one partition all of this
// is one pointer to follow. One thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>

#include "bindings/cpp/client_core.h"
#include "bindings/cpp/fork_guard.h"
#include "core/partition.h"

namespace pqd {

enum class Waited : uint8_t { kReady, kTimeout, kAway };

class ClientRouter {
 public:
  explicit ClientRouter(const ConnectOptions& options);
  ClientRouter(const ClientRouter&) = delete;
  ClientRouter& operator=(const ClientRouter&) = delete;
  ~ClientRouter();
  Result<void> connect();

  Result<Ticket> submit(const SubmitRequest& request) {
    if (partitions_ == 1) [[likely]]
      return cores_.front()->submit(request);
    return submit_elsewhere(request);
  }
  Result<std::vector<Ticket>> submit_many(std::span<const SubmitRequest> requests);
  Result<Outcome> wait(const Ticket& ticket, Milliseconds timeout);
  Result<std::optional<Outcome>> poll(const Ticket& ticket);
  Result<FlushReport> flush(Milliseconds timeout);

  // router_ask.cpp
  // In the partition that a queue or a job belongs to.
  Result<Answer> ask_for_queue(const QueryHead& head, std::string_view queue, std::string_view type);
  Result<Answer> ask_for_job(const QueryHead& head);
  Result<Answer> ask_in(PartitionNo partition, const QueryHead& head, std::string_view type);
  // In all: the answers of those that have found something.
  Result<std::vector<Answer>> ask_everywhere(const QueryHead& head, std::string_view queue,
                                             std::string_view type);
  // In that of `queue` if one is named, otherwise everywhere.
  Result<std::vector<Answer>> ask_about(const QueryHead& head, std::string_view queue, std::string_view type);
  // In these, in their order.
  Result<std::vector<Answer>> ask(std::span<ClientCore* const> cores, const QueryHead& head,
                                  std::string_view queue, std::string_view type);
  Result<void> command_for_queue(ByteView record, std::string_view queue);
  Result<void> command_for_job(ByteView record, const JobId& id);
  // One such record for each id, pipelined.
  Result<ManyOutcome> command_many(std::span<const JobId> ids, Bytes (*write)(const JobId& id));

  // router_cron.cpp
  Result<void> cron_set(const ScheduleRequest& request);
  Result<void> cron_remove(std::string_view name);

  // router_consume.cpp
  Result<uint32_t> subscribe(const Subscription& subscription);
  Result<void> unsubscribe(uint32_t number);
  Result<std::optional<DeliveredJob>> next(Milliseconds timeout);
  Result<std::vector<DeliveredJob>> next_batch(Milliseconds timeout);
  Result<Ticket> settle(const DeliveredJob& job, RecordKind kind, const SettleHead& head, ByteView body);
  bool cancel_requested(const DeliveredJob& job);

  // router_watch.cpp
  Result<uint32_t> watch(const WatchOptions& options);
  Result<void> unwatch(uint32_t number);
  Result<std::optional<JobEvent>> next_event(Milliseconds timeout);
  Result<std::vector<JobEvent>> recent_events(const WatchOptions& options);

  // router_events.cpp
  int fd();
  Result<void> process();
  bool arm();

  // The first of its sessions that is open.
  const ClientSession& session() const { return cores_.front()->session(); }
  uint32_t partitions() const { return partitions_; }
  size_t sessions() const { return cores_.size(); }

  // What the sessions share.
  const ConnectOptions& options() const { return options_; }
  const std::string& socket_path() const { return socket_path_; }
  ClientCounters& counters() { return counters_; }
  Milliseconds submit_timeout() const { return Milliseconds(options_.submit_timeout_ms); }
  // How long what is sent waits for a daemon that is away: not at all where it waits for no room.
  Milliseconds away_timeout() const {
    return Milliseconds(options_.submit_timeout_ms == 0 ? 0 : options_.reconnect_timeout_ms);
  }
  Milliseconds answer_timeout() const { return Milliseconds(options_.answer_timeout_ms); }
  bool in_child() const { return guard_.in_child(); }
  Result<void> check_usable() {
    if (!guard_.in_child()) [[likely]]
      return {};
    return refuse_child();
  }

  // router_wait.cpp
  // Until `ready` says true: it may take what it finds (an answer, a verdict) and is then not asked again.
  // All sessions are attended to meanwhile. kAway: the daemon was away for longer than
  // `reconnect_timeout_ms`, for the session `of`, or for any when that is null.
  Waited wait_until(const std::function<bool()>& ready, Deadline deadline, const ClientCore* of);
  // One look at all sessions, without waiting for anything but a handshake when the daemon has just come
  // back. For calls that do not wait: a program that makes no others learns so that the daemon went, and
  // comes back.
  void attend();
  // REQUIRES: not kReady.
  Failure waited_failure(Waited waited, std::string_view what, const ClientCore* of = nullptr) const;

  // router_events.cpp
  // Of what the descriptor of fd() stands for, if there is one. Whatever was added is removed before it is
  // closed: a copy in a forked child would keep it there.
  void add_to_events(int fd);
  void remove_from_events(int fd);
  // The descriptor becomes readable when a session has something to do by itself: to try to reconnect, to ask
  // about submits that wait for room since before a reconnect.
  void set_timer();

 private:
  // client_router.cpp
  Result<ClientCore*> core_of(PartitionNo partition, Milliseconds patience);
  // `left`: the session that it comes in place of, if any. That one stays away meanwhile: it might take the
  // only room that there is.
  Result<ClientCore*> open(PartitionNo partition, Milliseconds patience, const ClientCore* left = nullptr);
  // The only session when nothing was ever sent through it: it stood in for whatever comes first.
  ClientCore* stand_in() const;
  void drop(const ClientCore* core);
  Result<ClientCore*> core_of_queue(std::string_view queue, Milliseconds patience);
  Result<ClientCore*> core_of_job(const JobId& id, Milliseconds patience);
  // All partitions', in their order.
  Result<std::vector<ClientCore*>> all_cores(Milliseconds patience);
  // That of `id` or of `queue`, or all when both are empty.
  Result<std::vector<ClientCore*>> cores_for(std::string_view queue, const JobId& id);
  ClientCore* core_of_ticket(const Ticket& ticket) const;
  Result<Ticket> submit_elsewhere(const SubmitRequest& request);
  Result<void> refuse_child();
  void give_back();

  // router_wait.cpp
  bool pump();
  bool any_away() const;
  // All but `left`. True when one that was away is back.
  bool restore_due(const ClientCore* left = nullptr);
  bool spin();
  uint32_t bells() const;
  void sleep(Deadline deadline, const ClientCore* of);
  const ClientCore* first_gone(const ClientCore* of) const;

  // router_consume.cpp
  // Something for next(), or for next_batch(), whichever was asked last.
  ClientCore* core_with_jobs();
  std::optional<Failure> check_subscriptions();
  Result<void> wait_for_jobs(bool by_batch, Milliseconds timeout);

  // router_watch.cpp
  // Watches over several partitions count their changes together.
  struct SharedWatch {
    uint64_t number = 0;
    std::map<PartitionNo, uint64_t> seen;
  };
  ClientCore* core_with_events() const;
  std::optional<Failure> failed_watch();
  void drop_watch(uint32_t number);
  void count_together(JobEvent& event, PartitionNo partition);

  ConnectOptions options_;
  std::string socket_path_;
  ForkGuard guard_;
  ClientCounters counters_;
  uint32_t partitions_ = 1;
  std::vector<std::unique_ptr<ClientCore>> cores_;  // in the order of opening; never empty once connected
  std::array<ClientCore*, limits::kPartitionsMax> by_partition_{};
  unsigned spin_rounds_ = 0;
  bool by_batch_ = false;
  size_t turn_ = 0;  // whose jobs are looked at first
  uint32_t next_watch_ = 1;
  std::map<uint32_t, SharedWatch> shared_watches_;

  // For event loops, made when asked for.
  UniqueFd events_;
  UniqueFd timer_;
  Deadline timer_at_ = Deadline::in(kForever);  // what it is set to
};

}  // namespace pqd
