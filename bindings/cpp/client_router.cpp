#include "bindings/cpp/client_router.h"

#include <errno.h>

#include <algorithm>
#include <thread>

#include "bindings/cpp/dial.h"
#include "shm/sizes.h"

namespace pqd {
namespace {

constexpr Milliseconds kPauseFirst{10};
constexpr Milliseconds kPauseMax{1'000};
constexpr Milliseconds kGiveBackTime{1'000};

}  // namespace

ClientRouter::ClientRouter(const ConnectOptions& options)
    : options_(options), socket_path_(find_socket(options.socket)) {
  if (options_.name.empty()) options_.name = program_invocation_short_name;
}

ClientRouter::~ClientRouter() {
  if (cores_.empty() || guard_.in_child()) return;
  options_.reconnect_timeout_ms = 0;
  const Deadline deadline = Deadline::in(kGiveBackTime);
  for (const auto& core : cores_) core->give_back(deadline);
}

Result<void> ClientRouter::connect() {
  if (!guard_) return fail_with(Error::kSystemError, "there was no memory for the client");
  if (const auto wrong = check_sizes(with_defaults(options_.sizes))) {
    return fail_with(Error::kInvalidRequest, std::string(*wrong));
  }
  auto core = std::make_unique<ClientCore>(*this, PartitionNo{0});
  if (auto connected = core->connect(); !connected) return connected;
  partitions_ = core->session().welcome.partitions;
  by_partition_[0] = cores_.emplace_back(std::move(core)).get();
  return {};
}

Result<void> ClientRouter::refuse_child() {
  // Our copies of the sockets must not keep the parent's sessions alive.
  for (const auto& core : cores_) core->let_go();
  return fail_with(Error::kUnavailable,
                   "this client is not usable after fork(): the child has to connect for itself");
}

Result<ClientCore*> ClientRouter::core_of(PartitionNo partition, Milliseconds patience) {
  if (ClientCore* const core = by_partition_[partition]; core != nullptr) [[likely]]
    return core;
  // First: a child has nothing to hang up, its parent's timer least of all.
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  // Who uses one queue has one session, also while it changes: its user may have no more.
  ClientCore* const left = stand_in();
  if (left != nullptr) left->hang_up();
  auto opened = open(partition, patience, left);
  if (opened && left != nullptr) drop(left);
  return opened;
}

// A daemon that is away for the moment is waited for, as everywhere.
Result<ClientCore*> ClientRouter::open(PartitionNo partition, Milliseconds patience, const ClientCore* left) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  const Deadline deadline =
      earlier(Deadline::in(patience), Deadline::in(Milliseconds(options_.reconnect_timeout_ms)));
  for (Milliseconds pause = kPauseFirst;; pause = std::min(pause * 2, kPauseMax)) {
    auto core = std::make_unique<ClientCore>(*this, partition);
    auto connected = core->connect();
    if (connected) {
      core->watch_session();
      return by_partition_[partition] = cores_.emplace_back(std::move(core)).get();
    }
    if (connected.error().error != Error::kUnavailable || deadline.passed())
      return std::unexpected(std::move(connected.error()));
    restore_due(left);  // the leases of the other sessions do not wait
    std::this_thread::sleep_for(std::min(pause, deadline.left()));
  }
}

ClientCore* ClientRouter::stand_in() const {
  return cores_.size() == 1 && cores_.front()->unused() ? cores_.front().get() : nullptr;
}

void ClientRouter::drop(const ClientCore* core) {
  by_partition_[core->partition()] = nullptr;
  std::erase_if(cores_, [core](const auto& mine) { return mine.get() == core; });
  set_timer();  // its next attempt is nobody's any more
}

Result<ClientCore*> ClientRouter::core_of_queue(std::string_view queue, Milliseconds patience) {
  return core_of(partition_of(queue, partitions_), patience);
}

Result<ClientCore*> ClientRouter::core_of_job(const JobId& id, Milliseconds patience) {
  const PartitionNo partition = partition_of_tag(id.tag(), partitions_);
  // No daemon with so many partitions made this id.
  if (partition >= partitions_) return std::unexpected(failure_of(Error::kNotFound));
  return core_of(partition, patience);
}

Result<std::vector<ClientCore*>> ClientRouter::all_cores(Milliseconds patience) {
  for (uint32_t partition = 0; partition < partitions_; ++partition) {
    if (by_partition_[partition] != nullptr) continue;
    if (auto opened = open(static_cast<PartitionNo>(partition), patience); !opened)
      return std::unexpected(std::move(opened.error()));
  }
  return std::vector<ClientCore*>(by_partition_.begin(), by_partition_.begin() + partitions_);
}

Result<std::vector<ClientCore*>> ClientRouter::cores_for(std::string_view queue, const JobId& id) {
  if (queue.empty() && id.empty()) return all_cores(answer_timeout());
  const auto one = id.empty() ? core_of_queue(queue, answer_timeout()) : core_of_job(id, answer_timeout());
  if (!one) return std::unexpected(one.error());
  return std::vector<ClientCore*>{*one};
}

ClientCore* ClientRouter::core_of_ticket(const Ticket& ticket) const {
  return ticket.partition < partitions_ ? by_partition_[ticket.partition] : nullptr;
}

Result<Ticket> ClientRouter::submit_elsewhere(const SubmitRequest& request) {
  const auto core = core_of_queue(request.queue, away_timeout());
  if (!core) return std::unexpected(core.error());
  return (*core)->submit(request);
}

Result<std::vector<Ticket>> ClientRouter::submit_many(std::span<const SubmitRequest> requests) {
  const auto core =
      core_of_queue(requests.empty() ? std::string_view() : requests.front().queue, away_timeout());
  if (!core) return std::unexpected(core.error());
  return (*core)->submit_many(requests);
}

Result<Outcome> ClientRouter::wait(const Ticket& ticket, Milliseconds timeout) {
  ClientCore* const core = core_of_ticket(ticket);
  return core != nullptr ? core->wait(ticket, timeout) : std::unexpected(foreign_ticket());
}

Result<std::optional<Outcome>> ClientRouter::poll(const Ticket& ticket) {
  ClientCore* const core = core_of_ticket(ticket);
  if (core == nullptr) return std::unexpected(foreign_ticket());
  return core->poll(ticket);
}

Result<FlushReport> ClientRouter::flush(Milliseconds timeout) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  const auto all_decided = [this] {
    return std::ranges::all_of(cores_, [](const auto& core) { return core->all_decided(); });
  };
  const Waited waited = wait_until(all_decided, Deadline::in(timeout), nullptr);
  if (waited == Waited::kAway) return std::unexpected(unknown_outcome(waited_failure(waited, {})));
  if (waited == Waited::kTimeout) return std::unexpected(waited_failure(waited, "everything that was sent"));
  FlushReport report;
  for (const auto& core : cores_) {
    const FlushReport one = core->take_refusals();
    if (report.refused == 0) report.first = one.first;
    report.refused += one.refused;
  }
  return report;
}

}  // namespace pqd
