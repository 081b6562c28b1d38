// The control lane: commands, which wait until they are durable, and queries, which wait for their answer.
#include "bindings/cpp/client_core.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// Few enough that the outcomes of all are remembered, many enough to share a commit.
constexpr size_t kCommandsUnderWay = 1'000;

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
  return Ticket{id, session_->count(Lane::kControl, durability), outcomes_.generation(),
                static_cast<uint8_t>(Lane::kControl), durability};
}

Result<Ticket> ClientCore::send_control(ByteView record, const JobId& id) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if (record.size() > session_->writer(Lane::kControl).max_record_bytes()) {
    return fail_with(Error::kPayloadTooLarge,
                     "this is over half the control lane; connect with a larger lane");
  }
  if (!away_) {
    if (const auto ticket = try_send_control(record, id)) return *ticket;
  }
  const uint64_t room = padded_record_bytes(static_cast<uint32_t>(record.size()));
  if (auto waited = wait_for_room(Lane::kControl, room, submit_timeout()); !waited) {
    return std::unexpected(std::move(waited.error()));
  }
  return *try_send_control(record, id);
}

Result<void> ClientCore::command(ByteView record, const JobId& id) {
  const auto ticket = send_control(record, id);
  if (!ticket) return std::unexpected(ticket.error());
  const auto outcome = wait(*ticket, answer_timeout());
  if (!outcome) return std::unexpected(outcome.error());
  return {};
}

Result<ManyOutcome> ClientCore::command_many(std::span<const JobId> ids, Bytes (*write)(const JobId& id)) {
  std::vector<Ticket> tickets;
  tickets.reserve(std::min(ids.size(), kCommandsUnderWay));
  ManyOutcome count;
  while (!ids.empty()) {
    tickets.clear();
    for (const JobId& id : ids.first(std::min(ids.size(), kCommandsUnderWay))) {
      const auto ticket = send_control(write(id), id);
      if (!ticket) return std::unexpected(ticket.error());
      tickets.push_back(*ticket);
    }
    ids = ids.subspan(tickets.size());
    for (const Ticket& ticket : tickets) {
      const auto outcome = wait(ticket, answer_timeout());
      const bool gone = !outcome && (outcome.error().error == Error::kNotFound ||
                                     outcome.error().error == Error::kInvalidStatus);
      if (!outcome && !gone) return std::unexpected(outcome.error());
      ++(gone ? count.gone : count.done);
    }
  }
  return count;
}

Result<Answer> ClientCore::ask(const QueryHead& head, std::string_view queue, std::string_view type) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if ((!queue.empty() && !valid_name(queue)) || (!type.empty() && !valid_name(type))) {
    return fail_with(Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  }
  if (head.limit == 0 || head.limit > list_page_max(head.kind)) {
    return fail_with(Error::kInvalidRequest,
                     "a list's limit must be 1 to " + std::to_string(list_page_max(head.kind)));
  }
  const auto question = questions_.add(head, queue, type);
  std::optional<Answer> answer;
  const auto ready = [&] {
    answer = questions_.take(question);
    return answer.has_value();
  };
  const Waited waited = wait_until(ready, Deadline::in(answer_timeout()));
  if (waited != Waited::kReady) {
    questions_.drop(question);
    return std::unexpected(waited_failure(waited, "the question"));
  }
  if (answer->error != Error::kOk) {
    return fail_with(answer->error,
                     answer->text.empty() ? std::string(error_text(answer->error)) : answer->text);
  }
  return std::move(*answer);
}

}  // namespace pqd
