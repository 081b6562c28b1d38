#include "core/explanation.h"

#include <algorithm>
#include <array>

namespace pqd {
namespace {

constexpr uint8_t kExplanationVersion = 1;

struct AwaitsWords {
  std::string_view name;
  std::string_view text;
};
constexpr std::array<AwaitsWords, 12> kAwaits{{
    {"nothing", "nothing: it is finished"},
    {"room", "room in its full queue"},
    {"time", "the time that its submit named"},
    {"backoff", "the end of its backoff"},
    {"key", "jobs before it with the same ordering key"},
    {"resume", "its queue to be resumed: it is paused"},
    {"maxActive", "a job of its queue to be settled: as many as may be are in hand"},
    {"consumer", "a consumer that takes its type: there is none"},
    {"credit", "a consumer to settle something: all that take its type are busy"},
    {"turn", "its turn: others are before it"},
    {"settling", "its consumer to settle it"},
    {"batch", "its batch to be complete"},
}};

const AwaitsWords& words_of(Awaits awaits) {
  return kAwaits[std::min(static_cast<size_t>(awaits), kAwaits.size() - 1)];
}

}  // namespace

std::string_view awaits_text(Awaits awaits) { return words_of(awaits).text; }
std::string_view awaits_name(Awaits awaits) { return words_of(awaits).name; }

Bytes encode(const Explanation& e) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.pod(kExplanationVersion);
  out.pod(e.id);
  for (const uint64_t field :
       {static_cast<uint64_t>(e.state), static_cast<uint64_t>(e.awaits), static_cast<uint64_t>(e.reason),
        uint64_t{e.cancel_requested}, uint64_t{e.attempts}, uint64_t{e.max_attempts}, e.ahead, e.consumers,
        e.active, e.holder, uint64_t{e.holder_pid}, uint64_t{e.holder_uid}})
    out.varint(field);
  out.signed_varint(e.until_ns);
  out.signed_varint(e.timeout_ns);
  out.pod(e.behind);
  out.text(e.queue);
  out.text(e.type);
  return bytes;
}

std::expected<Explanation, Error> decode_explanation(ByteView body) {
  ByteReader in(body);
  if (in.pod<uint8_t>() != kExplanationVersion) return std::unexpected(Error::kSystemError);
  Explanation e;
  e.id = in.pod<JobId>();
  e.state = static_cast<JobState>(in.varint());
  e.awaits = static_cast<Awaits>(in.varint());
  e.reason = static_cast<Reason>(in.varint());
  e.cancel_requested = in.varint() != 0;
  e.attempts = static_cast<uint16_t>(in.varint());
  e.max_attempts = static_cast<uint16_t>(in.varint());
  e.ahead = in.varint();
  e.consumers = in.varint();
  e.active = in.varint();
  e.holder = in.varint();
  e.holder_pid = static_cast<uint32_t>(in.varint());
  e.holder_uid = static_cast<uint32_t>(in.varint());
  e.until_ns = in.signed_varint();
  e.timeout_ns = in.signed_varint();
  e.behind = in.pod<JobId>();
  e.queue = in.text();
  e.type = in.text();
  if (in.failed()) return std::unexpected(Error::kSystemError);
  return e;
}

}  // namespace pqd
