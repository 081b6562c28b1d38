#include "core/schedule_info.h"

#include "core/submit_record.h"
#include "core/tables.h"

namespace pqd {

Bytes encode(const ScheduleInfo& info) {
  Bytes bytes;
  ByteWriter out(bytes);
  for (const std::string* text : {&info.name, &info.spec, &info.zone, &info.queue, &info.type})
    out.text(*text);
  out.pod(info.owner_uid);
  for (const TimeNs time : {info.set_ns, info.next_ns, info.last_ns}) out.pod(time);
  out.pod(info.last_id);
  out.pod(info.last_code);
  out.pod(static_cast<uint8_t>(info.waiting));
  out.pod(info.payload_bytes);
  return bytes;
}

std::expected<ScheduleInfo, Error> decode_schedule_info(ByteView body) {
  ByteReader in(body);
  ScheduleInfo info;
  for (std::string* text : {&info.name, &info.spec, &info.zone, &info.queue, &info.type}) *text = in.text();
  info.owner_uid = in.pod<uint32_t>();
  for (TimeNs* time : {&info.set_ns, &info.next_ns, &info.last_ns}) *time = in.pod<TimeNs>();
  info.last_id = in.pod<JobId>();
  info.last_code = in.pod<uint8_t>();
  info.waiting = in.pod<uint8_t>() != 0;
  info.payload_bytes = in.pod<uint32_t>();
  if (in.failed()) return std::unexpected(Error::kSystemError);
  return info;
}

ScheduleInfo schedule_info(const Tables& tables, const Schedule& schedule, uint32_t run_tag) {
  ScheduleInfo info;
  info.name = schedule.name;
  info.spec = schedule.spec;
  info.zone = schedule.zone;
  info.queue = tables.queue(schedule.queue).name;
  info.type = tables.type(schedule.type);
  info.owner_uid = schedule.owner_uid;
  info.set_ns = schedule.set_ns;
  info.next_ns = schedule.due_ns;
  info.last_ns = schedule.last_ns;
  const bool made = schedule.last_ns != 0 && schedule.last_code == static_cast<uint8_t>(Error::kOk);
  if (made) info.last_id = run_id(schedule.name, schedule.last_ns, run_tag);
  info.last_code = schedule.last_code;
  info.waiting = schedule.due_ns != 0 && schedule.due_ns <= tables.now_ns;
  if (const auto job = read_submit_record(schedule.record))
    info.payload_bytes = static_cast<uint32_t>(job->payload.size());
  return info;
}

}  // namespace pqd
