#include "core/schedule_record.h"

#include <algorithm>

#include "core/limits.h"

namespace pqd {
namespace {

template <class Head>
Bytes with_size(Head head, std::initializer_list<ByteView> parts) {
  size_t bytes = sizeof head;
  for (const ByteView part : parts) bytes += part.size();
  head.head.size_bytes = static_cast<uint32_t>(bytes);
  Bytes out;
  out.reserve(bytes);
  ByteWriter writer(out);
  writer.pod(head);
  for (const ByteView part : parts) writer.raw_bytes(part);
  return out;
}

template <class Head>
std::expected<Head, Error> read_head(ByteView record) {
  Head head;
  if (record.size() < sizeof head) return std::unexpected(Error::kInvalidRequest);
  std::memcpy(&head, record.data(), sizeof head);
  if (head.head.size_bytes != record.size()) return std::unexpected(Error::kInvalidRequest);
  return head;
}

bool zone_letter(char c) {
  const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return letter || c == '_' || c == '+' || c == '-' || c == '/';
}

}  // namespace

bool valid_zone_name(std::string_view name) {
  if (name.empty() || name.size() > limits::kZoneNameBytesMax) return false;
  return name.front() != '/' && name.back() != '/' && std::ranges::all_of(name, zone_letter);
}

SubmitFault check_schedule_job(const SubmitView& job, size_t payload_bytes_max) {
  if (!job.idempotency_key.empty()) {
    return {Error::kInvalidRequest,
            "a schedule's jobs take no idempotency key: each run has an id of its own, made once"};
  }
  if (job.head.not_before_ms != 0) {
    return {Error::kInvalidRequest, "a schedule's jobs take no delay: the schedule says when they run"};
  }
  if (job.head.durability == static_cast<uint8_t>(Durability::kMemory))
    return {Error::kInvalidRequest, "a schedule is durable: its jobs have durability fsync or os"};
  if (job.head.batch_count != 1) return {Error::kInvalidRequest, "a run of a schedule is one job"};
  const SubmitFault fault = check_submit(job, payload_bytes_max);
  if (fault.error != Error::kOk) return fault;
  if (submit_record_bytes(job) > limits::kScheduleRecordBytesMax) {
    return {Error::kPayloadTooLarge,
            "a schedule's job is over 16 KiB; store the payload elsewhere and give its name"};
  }
  return {};
}

Bytes write_cron_set(const CronSetView& set) {
  CronSetHead head;
  head.job_bytes = static_cast<uint32_t>(set.job.size());
  head.spec_bytes = static_cast<uint16_t>(set.spec.size());
  head.name_bytes = static_cast<uint8_t>(set.name.size());
  head.zone_bytes = static_cast<uint8_t>(set.zone.size());
  head.replace = set.replace ? 1 : 0;
  return with_size(head, {as_bytes(set.name), as_bytes(set.spec), as_bytes(set.zone), set.job});
}

Bytes write_cron_remove(std::string_view name) {
  CronRemoveHead head;
  head.name_bytes = static_cast<uint8_t>(name.size());
  return with_size(head, {as_bytes(name)});
}

std::expected<CronSetView, Error> read_cron_set(ByteView record) {
  const auto head = read_head<CronSetHead>(record);
  if (!head) return std::unexpected(head.error());
  ByteReader in(record.subspan(sizeof *head));
  CronSetView view;
  view.head = head->head;
  view.replace = head->replace != 0;
  view.name = as_text(in.raw_bytes(head->name_bytes));
  view.spec = as_text(in.raw_bytes(head->spec_bytes));
  view.zone = as_text(in.raw_bytes(head->zone_bytes));
  view.job = in.raw_bytes(head->job_bytes);
  const bool names_ok = valid_name(view.name) && valid_zone_name(view.zone);
  if (in.failed() || in.remaining() != 0 || !names_ok || head->replace > 1)
    return std::unexpected(Error::kInvalidRequest);
  return view;
}

std::expected<CronRemoveView, Error> read_cron_remove(ByteView record) {
  const auto head = read_head<CronRemoveHead>(record);
  if (!head) return std::unexpected(head.error());
  const CronRemoveView view{head->head, as_text(record.subspan(sizeof *head))};
  if (view.name.size() != head->name_bytes || !valid_name(view.name))
    return std::unexpected(Error::kInvalidRequest);
  return view;
}

}  // namespace pqd
