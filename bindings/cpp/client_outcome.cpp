// Asking what became of what was sent.
#include <algorithm>

#include "bindings/cpp/client_core.h"

namespace pqd {
namespace {

Failure unknown(const Failure& away) {
  return {Error::kUnknownOutcome, "this was sent and not answered: " + away.text, 0};
}

}  // namespace

Result<Outcome> ClientCore::wait(const Ticket& ticket, Milliseconds timeout) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  std::optional<Result<Outcome>> decided;
  const auto ready = [&] {
    decided = outcomes_.decide(ticket, *session_);
    return decided.has_value();
  };
  const Waited waited = wait_until(ready, Deadline::in(timeout));
  if (waited == Waited::kReady) return std::move(*decided);
  if (waited == Waited::kAway) return std::unexpected(unknown(away_failure()));
  return std::unexpected(waited_failure(waited, "the request"));
}

Result<std::optional<Outcome>> ClientCore::poll(const Ticket& ticket) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  pump();
  auto decided = outcomes_.decide(ticket, *session_);
  if (!decided) {
    look_at_socket();
    if (!away_) return std::nullopt;
    restore_if_due();
    pump();
    decided = outcomes_.decide(ticket, *session_);
  }
  if (decided && !*decided) return std::unexpected(std::move(decided->error()));
  if (decided) return **decided;
  if (away_ && give_up_at().passed()) return std::unexpected(unknown(away_failure()));
  return std::nullopt;
}

Result<FlushReport> ClientCore::flush(Milliseconds timeout) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  const auto all_decided = [this] {
    return !outcomes_.any_deferred() &&
           std::all_of(session_->lanes.begin(), session_->lanes.end(),
                       [](const ClientSession::LaneState& lane) { return lane.all_decided(); });
  };
  const Waited waited = wait_until(all_decided, Deadline::in(timeout));
  if (waited == Waited::kReady) return outcomes_.take_refusals();
  if (waited == Waited::kAway) return std::unexpected(unknown(away_failure()));
  return std::unexpected(waited_failure(waited, "everything that was sent"));
}

}  // namespace pqd
