#include "bindings/cpp/watches.h"

#include <algorithm>

#include "core/down_record.h"

namespace pqd {

void ClientWatches::add(Handle handle, const WatchHead& head, std::string_view queue, std::string_view type) {
  Open& watch = open_[handle];
  watch.head = head;
  watch.queue = queue;
  watch.type = type;
}

std::optional<Bytes> ClientWatches::drop(Handle handle) {
  const auto found = open_.find(handle);
  if (found == open_.end()) return std::nullopt;
  std::optional<Bytes> record;
  if (found->second.sent && found->second.phase != Phase::kEnded)
    record = write_unwatch(found->second.head.request);
  open_.erase(found);
  std::erase_if(waiting_, [handle](const JobEvent& event) { return event.watch == handle; });
  return record;
}

std::optional<ClientWatches::Handle> ClientWatches::failed() const {
  const auto ended = std::ranges::find_if(open_, [](const auto& entry) {
    return entry.second.phase == Phase::kEnded && entry.second.failure.error != Error::kOk;
  });
  return ended == open_.end() ? std::nullopt : std::optional(ended->first);
}

std::optional<JobEvent> ClientWatches::pop() {
  if (waiting_.empty()) return std::nullopt;
  std::optional<JobEvent> event(std::move(waiting_.front()));
  waiting_.pop_front();
  return event;
}

std::vector<JobEvent> ClientWatches::take_all(Handle handle) {
  std::vector<JobEvent> events;
  for (JobEvent& event : waiting_)
    if (event.watch == handle) events.push_back(std::move(event));
  std::erase_if(waiting_, [handle](const JobEvent& event) { return event.watch == handle; });
  return events;
}

void ClientWatches::begin_again() {
  for (auto& [handle, watch] : open_) {
    if (watch.phase == Phase::kEnded) continue;
    watch.sent = false;
    if (watch.head.follow == 0) {
      std::erase_if(waiting_, [h = handle](const JobEvent& event) { return event.watch == h; });
    } else if (watch.phase == Phase::kBegun) {
      // What it missed nobody knows; the changes from before it began are not told again.
      watch.head.head.flags |= kFlagResubmitted;
      watch.head.last = 0;
    }
  }
}

bool ClientWatches::receive(ByteView record) {
  AnswerHead head;
  if (record.size() < sizeof head) return false;
  std::memcpy(&head, record.data(), sizeof head);
  if ((head.request & kRequestBit) == 0) return false;
  const auto found = std::ranges::find_if(open_, [&](const auto& entry) {
    return entry.second.sent && entry.second.head.request == head.request;
  });
  if (found == open_.end()) return true;
  Open& watch = found->second;
  const ByteView body = record.subspan(sizeof head);
  if (head.kind == AnswerKind::kEnd) {
    watch.phase = Phase::kEnded;
    const Error error = head.error < kErrorCount ? static_cast<Error>(head.error) : Error::kSystemError;
    watch.failure = {error, body.empty() ? std::string(error_text(error)) : std::string(as_text(body)), 0};
  } else if (auto event = decode_job_event(body); head.kind == AnswerKind::kEvent && event) {
    take(found->first, watch, std::move(*event));
  }
  return true;
}

void ClientWatches::take(Handle handle, Open& watch, JobEvent event) {
  if (watch.head.follow != 0) watch.phase = Phase::kBegun;
  if (event.kind == ChangeKind::kWatching) return;
  event.watch = handle;
  JobEvent* const last = waiting_.empty() ? nullptr : &waiting_.back();
  const bool counted = event.kind != ChangeKind::kGap || event.lost > 0;
  if (waiting_.size() < kWaitingMax || !counted) {
    waiting_.push_back(std::move(event));
    return;
  }
  const uint64_t lost = event.kind == ChangeKind::kGap ? event.lost : 1;
  if (last->kind == ChangeKind::kGap && last->lost > 0 && last->watch == handle) {
    last->lost += lost;
    last->number = event.number;
    last->when_ns = event.when_ns;
    return;
  }
  JobEvent gap;
  gap.kind = ChangeKind::kGap;
  gap.number = event.number;
  gap.when_ns = event.when_ns;
  gap.lost = lost;
  gap.watch = handle;
  waiting_.push_back(std::move(gap));
}

}  // namespace pqd
