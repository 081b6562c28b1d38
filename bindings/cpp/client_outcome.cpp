// Asking what became of what was sent.
#include <algorithm>

#include "bindings/cpp/client_router.h"

namespace pqd {

Result<Outcome> ClientCore::wait(const Ticket& ticket, Milliseconds timeout) {
  if (auto usable = router_.check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  std::optional<Result<Outcome>> decided;
  const auto ready = [&] {
    decided = outcomes_.decide(ticket, *session_);
    return decided.has_value();
  };
  const Waited waited = router_.wait_until(ready, Deadline::in(timeout), this);
  if (waited == Waited::kReady) return std::move(*decided);
  if (waited == Waited::kAway) return std::unexpected(unknown_outcome(away_failure()));
  return std::unexpected(router_.waited_failure(waited, "the request"));
}

Result<std::optional<Outcome>> ClientCore::poll(const Ticket& ticket) {
  if (auto usable = router_.check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  pump();
  auto decided = outcomes_.decide(ticket, *session_);
  if (!decided) {
    router_.attend();
    decided = outcomes_.decide(ticket, *session_);
  }
  if (decided && !*decided) return std::unexpected(std::move(decided->error()));
  if (decided) return **decided;
  if (gone()) return std::unexpected(unknown_outcome(away_failure()));
  return std::nullopt;
}

bool ClientCore::all_decided() const {
  return !outcomes_.any_deferred() &&
         std::all_of(session_->lanes.begin(), session_->lanes.end(),
                     [](const ClientSession::LaneState& lane) { return lane.all_decided(); });
}

}  // namespace pqd
