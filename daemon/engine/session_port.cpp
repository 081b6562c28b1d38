#include "daemon/engine/session_port.h"

#include "shm/crash_point.h"

#include <algorithm>

namespace pqd {

static_assert(kLanes == kLaneCount && kControlLane == lane_index(Lane::kControl));

std::expected<std::unique_ptr<SessionPort>, SysError> SessionPort::open(const SessionGrant& grant,
                                                                        const SessionEntry& entry) {
  std::unique_ptr<SessionPort> port(new SessionPort);
  const UniqueFd up_fd(grant.up_fd);
  const UniqueFd down_fd(grant.down_fd);
  port->grant_ = grant;
  port->client_doorbell_.reset(grant.client_doorbell_fd);
  port->engine_doorbell_.reset(grant.engine_doorbell_fd);
  auto up = UpSegment::map(up_fd.get(), grant.sizes, Access::kReadOnly, OnFork::kDrop);
  if (!up) return std::unexpected(up.error());
  port->up_ = std::move(*up);
  if (grant.down_base != 0) {
    port->down_ = DownSegment::adopt(reinterpret_cast<std::byte*>(grant.down_base), grant.sizes);
  } else {
    auto down = DownSegment::map(down_fd.get(), grant.sizes, Access::kReadWrite, OnFork::kDrop);
    if (!down) return std::unexpected(down.error());
    port->down_ = std::move(*down);
  }
  const UpSegment& theirs = port->up_;
  port->outbox_ = SessionOutbox(port->down_, theirs.header(), port->engine_doorbell_.get());
  for (size_t i = 0; i < kLaneCount; ++i) {
    const LanePosition from = port->outbox_.read_to(entry, i);
    port->lanes_[i] = RingReader(theirs.ring_data(static_cast<Lane>(i)), grant.sizes.lane_bytes[i],
                                 theirs.header().tail[i], {from.bytes, from.seq});
  }
  port->outbox_.begin_at(entry);
  for (size_t i = 0; i < kLaneCount; ++i) port->decided_before_[i] = port->outbox_.applied(i);
  return port;
}

bool SessionPort::refresh() {
  bool any = false;
  for (size_t i = 0; i < kLaneCount; ++i) any |= lanes_[i].refresh() && !held_back(i);
  return any;
}

bool SessionPort::held_back(size_t lane) const {
  if (faulty || outbox_.receipts_waiting() >= grant_.sizes.receipt_slots) return true;
  return lane == kControlLane && !leaving && (questions_.full() || answers_wait());
}

RingViolation SessionPort::violation() const {
  const auto broken = std::ranges::find_if(
      lanes_, [](const RingReader& lane) { return lane.violation() != RingViolation::kNone; });
  return broken == lanes_.end() ? RingViolation::kNone : broken->violation();
}

uint64_t SessionPort::receipts_taken() const {
  // relaxed: a count; the receipts that it gives up are our own memory.
  const uint64_t said = up_.header().receipts_read.load(std::memory_order_relaxed);
  return std::min(said, outbox_.receipts_published());
}

void SessionPort::announce(uint64_t epoch, EngineState state) {
  // release: pairs with the client's acquire load; all that this engine has published so far is seen by who
  // sees it.
  PQD_CRASH_POINT("epoch-before-announced");
  down().engine_epoch.store(epoch, std::memory_order_release);
  PQD_CRASH_POINT("epoch-announced");
  // relaxed: a word for people and waiters, nothing hangs on it.
  down().engine_state.store(static_cast<uint32_t>(state), std::memory_order_relaxed);
  outbox_.ring();
}

}  // namespace pqd
