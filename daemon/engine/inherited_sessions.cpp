#include "daemon/engine/inherited_sessions.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <span>

namespace pqd {
namespace {

// How long clients of an earlier supervisor may take to come back before they count as dead.
constexpr TimeNs kReturnGraceNs = 5 * kSecondNs;
// Deliveries of durability `memory` are in no journal, and the last ones may have been published and not
// counted: more than a ring can hold are passed over, so that no number comes twice.
constexpr uint64_t kNumbersSkipped = uint64_t{1} << 32;

}  // namespace

InheritedSessions::InheritedSessions(const EngineArgs& args, PartitionNo partition, Broker& broker,
                                     State& state, SessionPorts& ports)
    : first_session_(args.first_session), broker_(broker), state_(state), ports_(ports) {
  std::ranges::copy_if(std::span(args.sessions, args.session_count), std::back_inserter(grants_),
                       [partition](const SessionGrant& grant) { return grant.partition == partition; });
}

std::expected<SessionPort*, std::string> InheritedSessions::add(const SessionGrant& grant,
                                                                const SessionEntry& entry) {
  auto port = SessionPort::open(grant, entry);
  if (port) return &ports_.add(std::move(*port));
  return std::unexpected("session " + std::to_string(grant.session) + " cannot be mapped (" +
                         std::string(port.error().call) + ": " + std::strerror(port.error().number) + ")");
}

std::expected<void, std::string> InheritedSessions::map() {
  for (const SessionGrant& grant : grants_) {
    const SessionEntry* entry = state_.tables.session(grant.session);
    if (entry == nullptr) continue;
    auto port = add(grant, *entry);
    if (!port) return std::unexpected(port.error());
    const uint64_t published = (*port)->outbox().deliveries_published();
    for (const DeliveryEffect& delivery : broker_.deliveries_after(grant.session, published))
      (*port)->outbox().add(0, delivery);
    (*port)->outbox().add_batch_end(0);
    // A notice may have been lost with the engine; one more does no harm.
    for (Slot slot = state_.held(grant.session).head; slot != kNoSlot; slot = state_.jobs[slot].line_next) {
      const JobCore core = state_.jobs.core(slot);
      if (core.cancel_requested) (*port)->outbox().add(0, notice_of(core));
    }
    if (entry->resumed_from != 0 && entry->resumed_from == grant.resume_session)
      resumed_.push_back(grant.session);
  }
  return {};
}

std::expected<void, std::string> InheritedSessions::settle() {
  for (const SessionGrant& grant : grants_) {
    if (ports_.find(grant.session) != nullptr) {
      broker_.know_session(grant.session, grant.named_groups());
      continue;
    }
    if (auto port = add(grant, SessionEntry{}); !port) return std::unexpected(port.error());
    broker_.open_session({grant.session, grant.uid, grant.pid, grant.tag, grant.secret_hash},
                         grant.named_groups());
    if (grant.resume_session != 0 && broker_.resume_session(grant.resume_session, grant.session,
                                                            grant.resume_hash, grant.deliveries_seen)) {
      resumed_.push_back(grant.session);
      // Nothing is read there any more; the worker ends it.
      if (SessionPort* earlier = ports_.find(grant.resume_session))
        earlier->faulty = earlier->taken_over = true;
    }
  }
  for (SessionPort* port : ports_.all()) {
    const SessionEntry* entry = state_.tables.session(port->number());
    if (entry == nullptr) continue;  // resumed just now
    const uint64_t published = port->outbox().deliveries_published();
    broker_.deliveries_counted(port->number(), std::max(published, entry->deliveries) + kNumbersSkipped);
  }
  std::vector<SessionNo> gone;
  for (const auto& [number, entry] : state_.tables.sessions()) {
    if (ports_.find(number) != nullptr) continue;
    if (number < first_session_)
      broker_.expect_return(number, state_.now() + kReturnGraceNs);
    else
      gone.push_back(number);
  }
  for (const SessionNo number : gone) broker_.close_session(number);
  return {};
}

}  // namespace pqd
