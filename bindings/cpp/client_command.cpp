// The control lane: settlements, subscriptions and questions on their way, and commands, which wait until
// they are durable.
#include "bindings/cpp/client_router.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// All commands are synced.
constexpr auto kFsyncMark = static_cast<size_t>(Durability::kFsync);

// Neither a settlement nor a question, which is answered elsewhere.
bool is_command(ByteView record) {
  const auto kind = static_cast<RecordKind>(record[offsetof(RecordHead, kind)]);
  switch (kind) {
    case RecordKind::kStart:
    case RecordKind::kComplete:
    case RecordKind::kFail:
    case RecordKind::kRelease:
    case RecordKind::kExtend:
    case RecordKind::kQuery:
    case RecordKind::kWatch:
    case RecordKind::kUnwatch:
      return false;
    default:
      return true;
  }
}

}  // namespace

std::optional<Ticket> ClientCore::try_send_control(ByteView record, const JobId& id) {
  RingWriter& writer = session_->writer(Lane::kControl);
  const auto bytes = static_cast<uint32_t>(record.size());
  const auto out = writer.reserve(bytes);
  if (out.empty()) return std::nullopt;
  std::memcpy(out.data(), record.data(), record.size());
  writer.commit(bytes);
  PQD_CRASH_POINT("settlement-written");
  writer.publish();
  PQD_CRASH_POINT("settlement-published");
  session_->bell.ring_if_sleeping();
  PQD_CRASH_POINT("settlement-rung");
  const Durability durability = durability_of_control(record);
  const Ticket ticket = ticket_of(id, Lane::kControl, durability);
  if (is_command(record))
    outcomes_.sent_command(ticket.sequence, session_->lane(Lane::kControl).marks[kFsyncMark]);
  return ticket;
}

Result<Ticket> ClientCore::send_control(ByteView record, const JobId& id) {
  if (auto usable = router_.check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if (record.size() > session_->writer(Lane::kControl).max_record_bytes()) {
    return fail_with(Error::kPayloadTooLarge,
                     "this is over half the control lane; connect with a larger lane");
  }
  if (!away_) {
    if (const auto ticket = try_send_control(record, id)) return *ticket;
  }
  const uint64_t room = padded_record_bytes(static_cast<uint32_t>(record.size()));
  if (auto waited = wait_for_room(Lane::kControl, room, router_.submit_timeout()); !waited) {
    return std::unexpected(std::move(waited.error()));
  }
  return *try_send_control(record, id);
}

Result<void> ClientCore::command(ByteView record, const JobId& id) {
  const auto ticket = send_control(record, id);
  if (!ticket) return std::unexpected(ticket.error());
  const auto outcome = wait(*ticket, router_.answer_timeout());
  if (!outcome) return std::unexpected(outcome.error());
  return {};
}

}  // namespace pqd
