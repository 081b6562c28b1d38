// The broker's commands about dead letters that stay where they are: review and purge. Redrive, which leads
// back among the pending ones, is in broker_command.cpp.
#include "core/broker.h"
#include "core/queries.h"

namespace pqd {

std::optional<JobRow> Broker::row_by_id(const JobId& id) {
  const Slot slot = state_.jobs.find(id);
  return slot != kNoSlot ? std::optional(row_of(state_, slot)) : finished_.find_finished(id);
}

// A dead letter may be reviewed again: the last word counts, the earlier ones stay in its history.
Error Broker::review(const Origin& origin, ByteView record) {
  const auto parsed = read_review(record);
  if (!parsed) return parsed.error();
  const uint32_t uid = state_.tables.session(origin.session)->uid;
  if (!rights(origin.session).operates()) return Error::kUnauthorized;
  auto row = row_by_id(parsed->head.id);
  if (!row) return Error::kNotFound;
  if (!is_dead_letter(row->core)) return Error::kInvalidStatus;
  // Sent again after a reconnect, it counted the first time.
  const bool again = (parsed->head.head.flags & kFlagResubmitted) != 0 && row->core.reviewed;
  if (again && row->reviews.back().uid == uid && row->reviews.back().resolution == parsed->resolution)
    return Error::kOk;
  Reviewed event;
  event.job = row->core.no;
  event.by = origin.session;
  event.resolution = commit_->add_blob(as_bytes(parsed->resolution));
  event.record = commit_->add_blob(row->record);
  row->record.clear();
  event.row = commit_->add_blob(encode_row(*row));
  note(event);
  state_.apply(event, commit_->ref(event.record), std::move(*row), parsed->resolution);
  return Error::kOk;
}

Error Broker::purge(const Origin& origin, ByteView record) {
  const auto parsed = read_purge(record);
  if (!parsed) return parsed.error();
  if (!rights(origin.session).admin()) return Error::kUnauthorized;
  auto row = row_by_id(parsed->id);
  if (!row) return Error::kNotFound;
  if (!is_dead_letter(row->core)) {
    const bool again = (parsed->head.flags & kFlagResubmitted) != 0;
    return again && row->core.purged ? Error::kOk : Error::kInvalidStatus;
  }
  drop_payload(*row);
  Purged event;
  event.job = row->core.no;
  event.by = origin.session;
  event.record = commit_->add_blob(row->record);
  row->record.clear();
  event.row = commit_->add_blob(encode_row(*row));
  note(event);
  state_.apply(event, commit_->ref(event.record), std::move(*row));
  return Error::kOk;
}

}  // namespace pqd
