#include "bindings/cpp/client_core.h"

#include "bindings/cpp/client_router.h"

namespace pqd {

ClientCore::ClientCore(ClientRouter& router, PartitionNo partition)
    : router_(router), partition_(partition), inbox_(partition) {}

ClientCore::~ClientCore() {
  if (session_ == nullptr) return;
  if (!router_.in_child()) {
    session_->hang_up();
    return;
  }
  // The mappings are not there in a child and their addresses may be somebody else's by now: only the
  // descriptors are closed, the rest is left alone.
  session_->socket.reset();
  session_->client_doorbell.reset();
  session_->engine_doorbell.reset();
  [[maybe_unused]] ClientSession* left_alone = session_.release();
}

Result<void> ClientCore::connect() {
  auto opened = open_session();
  if (!opened) return std::unexpected(std::move(opened.error()));
  session_ = std::move(*opened);
  engine_epoch_ = session_->down.header().engine_epoch.load(std::memory_order_acquire);
  return {};
}

bool ClientCore::unused() const {
  const auto idle = [](const ClientSession::LaneState& lane) { return lane.sent == 0; };
  return !used_earlier_ && std::ranges::all_of(session_->lanes, idle);
}

Failure ClientCore::away_failure() const {
  return {Error::kUnavailable,
          "the daemon went away and did not come back in time; the last attempt: " + away_reason_.text,
          kAwayRetryMs};
}

}  // namespace pqd
