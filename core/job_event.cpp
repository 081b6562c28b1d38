#include "core/job_event.h"

#include <array>

namespace pqd {
namespace {

constexpr std::array<std::string_view, kChangeKindCount> kNames{
    "gap",       "submitted",        "ready",          "assigned",  "started",  "progress",
    "extended",  "released",         "attempt-failed", "completed", "failed",   "timeout",
    "cancelled", "cancel-requested", "redriven",       "watching",  "reviewed", "purged"};

}  // namespace

std::string_view change_name(ChangeKind kind) {
  const auto index = static_cast<size_t>(kind);
  return index < kNames.size() ? kNames[index] : "changed";
}

Bytes encode(const JobEvent& e) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.pod(e.kind);
  out.varint(e.number);
  out.varint(e.lost);
  out.pod(static_cast<uint8_t>(e.interrupted));
  out.pod(e.id);
  out.signed_varint(e.when_ns);
  out.text(e.queue);
  out.text(e.type);
  out.varint(e.owner_uid);
  out.varint(e.attempt);
  out.pod(e.state);
  out.pod(e.reason);
  out.pod(e.progress);
  return bytes;
}

std::expected<JobEvent, Error> decode_job_event(ByteView body) {
  ByteReader in(body);
  JobEvent e;
  e.kind = in.pod<ChangeKind>();
  e.number = in.varint();
  e.lost = in.varint();
  e.interrupted = in.pod<uint8_t>() != 0;
  e.id = in.pod<JobId>();
  e.when_ns = in.signed_varint();
  e.queue = in.text();
  e.type = in.text();
  e.owner_uid = static_cast<uint32_t>(in.varint());
  e.attempt = static_cast<uint16_t>(in.varint());
  e.state = in.pod<JobState>();
  e.reason = in.pod<Reason>();
  e.progress = in.pod<uint8_t>();
  if (in.failed()) return std::unexpected(Error::kSystemError);
  return e;
}

}  // namespace pqd
