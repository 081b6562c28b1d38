#include "tests/golden/raw_text.h"

#include <unistd.h>

#include <sstream>

namespace pqd::test {
namespace {

// Goes through an answer's body.
class Body {
 public:
  explicit Body(std::string_view bytes) : bytes_(bytes) {}

  template <class Number>
  Number number() {
    const auto value = number_at<Number>(bytes_, at_);
    at_ += sizeof value;
    return value;
  }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = number<uint8_t>();
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  }
  std::string text() {
    const size_t bytes = varint();
    const std::string text(bytes_.substr(std::min(at_, bytes_.size()), bytes));
    at_ += bytes;
    return text;
  }
  void skip(size_t bytes) { at_ += bytes; }
  // Whether all that was read is there. More may follow: it came with a later version.
  bool whole() const { return at_ <= bytes_.size(); }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

std::string job_name(uint64_t low) {
  return std::to_string((low >> 40) & 3) + "." + std::to_string(low & ((uint64_t{1} << 40) - 1));
}
std::string job_name(std::string_view bytes, size_t id_at) {
  const auto low = number_at<uint64_t>(bytes, id_at + 8);
  return low == 0 ? "-" : job_name(low);
}
std::string user(uint32_t uid) { return uid == ::geteuid() ? "me" : std::to_string(uid); }
unsigned u8(std::string_view bytes, size_t at) { return number_at<uint8_t>(bytes, at); }
unsigned u16(std::string_view bytes, size_t at) { return number_at<uint16_t>(bytes, at); }

// The 176 bytes of a job's facts, and what follows them.
void put_job(std::ostream& out, Body& body, std::string_view bytes) {
  out << " job=" << job_name(bytes, 0) << " no=" << number_at<uint64_t>(bytes, 16)
      << " owner=" << user(number_at<uint32_t>(bytes, 116)) << " payload=" << number_at<uint32_t>(bytes, 148)
      << " attempts=" << u16(bytes, 152) << "/" << u16(bytes, 154) << " failures=" << u16(bytes, 156)
      << " deaths=" << u16(bytes, 158) << " state=" << u8(bytes, 160) << " pending=" << u8(bytes, 161)
      << " mode=" << u8(bytes, 162) << " priority=" << u8(bytes, 163) << " delivery=" << u8(bytes, 164)
      << " durability=" << u8(bytes, 165) << " reason=" << u8(bytes, 166) << " progress=" << u8(bytes, 167)
      << " cancel=" << u8(bytes, 168) << " redriven=" << u8(bytes, 170) << " reviewed=" << u8(bytes, 172)
      << " purged=" << u8(bytes, 173);
  body.skip(176);
  for (const char* name : {"queue", "type", "subject", "note", "metadata", "result", "payload"})
    out << " " << name << "='" << body.text() << "'";
  const unsigned has_payload = body.number<uint8_t>();
  const unsigned dlq = body.number<uint8_t>();
  out << " has_payload=" << has_payload << " dlq=" << dlq;
  for (uint64_t n = body.varint(); n > 0 && body.whole(); --n) {
    const unsigned attempt = body.number<uint16_t>();
    const unsigned reason = body.number<uint8_t>();
    body.skip(8 + 8 + 4);
    out << " attempt(" << attempt << " " << reason << " '" << body.text() << "')";
  }
  for (uint64_t n = body.varint(); n > 0 && body.whole(); --n) {
    body.skip(8 + 8 + 4);
    out << " review('" << body.text() << "')";
  }
}

void put_queue(std::ostream& out, Body& body) {
  out << " name=" << body.text();
  const auto depth = body.number<uint32_t>();
  body.skip(4);
  const auto bytes = body.number<uint64_t>();
  out << " depth=" << depth << " bytes=" << bytes;
  for (const char* name : {"admission", "queue_timeout", "processing_timeout", "active", "attempts",
                           "backoff", "cap", "guard", "batch_size", "batch_interval"})
    out << " " << name << "=" << body.number<uint32_t>();
  body.skip(8);  // fairness
  for (const char* name : {"paused", "draining"})
    out << " " << name << "=" << unsigned{body.number<uint8_t>()};
  for (const char* name : {"ready", "scheduled", "in_hand", "parked", "dlq", "payloads", "consumers"})
    out << " " << name << "=" << body.number<uint64_t>();
  body.skip(8);
  for (const char* name : {"held", "collecting"}) out << " " << name << "=" << body.number<uint64_t>();
  out << " overridden=" << body.number<uint32_t>();
  body.skip(4 + 8);
}

void put_health(std::ostream& out, Body& body) {
  const unsigned healthy = body.number<uint8_t>();
  const unsigned status = body.number<uint8_t>();
  out << " healthy=" << healthy << " status=" << status;
  body.skip(8);
  for (const char* name : {"depth", "workers", "pending", "processing", "completed", "failed", "dlq"})
    out << " " << name << "=" << body.number<uint64_t>();
  body.skip(8 + 3 * 8);
  out << " reasons=" << body.varint();
}

void put_explanation(std::ostream& out, Body& body, std::string_view bytes) {
  out << " version=" << unsigned{body.number<uint8_t>()} << " job=" << job_name(bytes, 1);
  body.skip(16);
  for (const char* name :
       {"state", "awaits", "reason", "cancel", "attempts", "max", "ahead", "consumers", "in_hand"})
    out << " " << name << "=" << body.varint();
  for (int i = 0; i < 5; ++i) body.varint();  // holder, its pid and uid, two times
  body.skip(16);
  const std::string queue = body.text();
  out << " queue=" << queue << " type=" << body.text();
}

void put_schedule(std::ostream& out, Body& body) {
  for (const char* name : {"name", "spec", "zone", "queue", "type"})
    out << " " << name << "='" << body.text() << "'";
  out << " owner=" << user(body.number<uint32_t>());
  body.skip(3 * 8 + 16);
  const unsigned code = body.number<uint8_t>();
  const unsigned waiting = body.number<uint8_t>();
  out << " code=" << code << " waiting=" << waiting << " payload=" << body.number<uint32_t>();
}

void put_event(std::ostream& out, Body& body, std::string_view bytes) {
  out << " change=" << unsigned{body.number<uint8_t>()};
  body.varint();
  const uint64_t lost = body.varint();
  const unsigned interrupted = body.number<uint8_t>();
  size_t id_at = 1;
  for (int i = 0; i < 2; ++i)
    while ((u8(bytes, id_at++) & 0x80) != 0) {
    }
  out << " lost=" << lost << " interrupted=" << interrupted << " job=" << job_name(bytes, id_at + 1);
  body.skip(16);
  body.varint();
  for (const char* name : {"queue", "type"}) out << " " << name << "=" << body.text();
  out << " owner=" << user(static_cast<uint32_t>(body.varint()));
  out << " attempt=" << body.varint();
  for (const char* name : {"state", "reason", "progress"})
    out << " " << name << "=" << unsigned{body.number<uint8_t>()};
}

void put_metrics(std::ostream& out, Body& body) {
  out << " by=" << unsigned{body.number<uint8_t>()};
  body.skip(1);
  out << " name='" << body.text() << "'";
  for (int i = 0; i < 3; ++i) body.varint();
  for (int i = 0; i < 2; ++i) {
    body.varint();
    body.skip(5 * 8);
  }
  const uint64_t counts = body.varint();
  out << " counts=" << (counts >= 7 ? "7 or more" : std::to_string(counts));
  for (uint64_t i = 0; i < counts && body.whole(); ++i) body.varint();
}

void put_body(std::ostream& out, unsigned kind, std::string_view bytes) {
  Body body(bytes);
  switch (kind) {
    case 0:
      out << " error=";
      return;
    case 1:
      put_job(out, body, bytes);
      break;
    case 2:
      put_queue(out, body);
      break;
    case 3:
      put_health(out, body);
      break;
    case 4:
      put_explanation(out, body, bytes);
      break;
    case 5:
      put_schedule(out, body);
      break;
    case 6:
      put_event(out, body, bytes);
      break;
    case 7:
      put_metrics(out, body);
      break;
    default:
      out << " ends in '" << bytes.substr(bytes.rfind('/') == std::string_view::npos ? 0 : bytes.rfind('/'))
          << "'";
      return;
  }
  if (!body.whole()) out << " CUT SHORT";
}

}  // namespace

std::string welcome_text(const Record& m) {
  std::ostringstream out;
  out << "welcome bytes=" << m.size() << " magic=" << std::hex << number_at<uint64_t>(m, 0) << std::dec
      << " kind=" << number_at<uint32_t>(m, 8) << " abi=" << number_at<uint32_t>(m, 12)
      << " resume=" << (number_at<uint32_t>(m, 16) & 1);
  for (size_t i = 0; i < 8; ++i) out << (i == 0 ? " sizes=" : " ") << number_at<uint32_t>(m, 48 + 4 * i);
  out << " payload=" << number_at<uint32_t>(m, 80) << " resumed=" << number_at<uint32_t>(m, 84);
  if (m.size() >= 96) out << " partition=" << number_at<uint32_t>(m, 92) << "/" << number_at<uint32_t>(m, 88);
  return out.str();
}

std::string refusal_text_of(const Record& m) {
  std::ostringstream out;
  out << "refusal bytes=" << m.size() << " kind=" << number_at<uint32_t>(m, 8)
      << " abi=" << number_at<uint32_t>(m, 12) << ".." << number_at<uint32_t>(m, 16) << " code=" << u8(m, 20)
      << " " << std::string(m.c_str() + std::min<size_t>(24, m.size()));
  return out.str();
}

std::string receipt_text(const Record& m) {
  std::ostringstream out;
  out << "receipt " << number_at<uint64_t>(m, 0) << " sequence=" << number_at<uint64_t>(m, 8)
      << " job=" << job_name(m, 16) << " lane=" << u8(m, 40) << " code=" << u8(m, 41)
      << " flags=" << u8(m, 42);
  return out.str();
}

std::string delivery_text(const Record& m) {
  std::ostringstream out;
  out << "delivery kind=" << u8(m, 4) << " version=" << u8(m, 5) << " number=" << number_at<uint64_t>(m, 8)
      << " job=" << job_name(m, 40) << " until=" << (number_at<int64_t>(m, 56) > 0 ? "some time" : "-")
      << " subscription=" << number_at<uint32_t>(m, 68) << " attempt=" << u16(m, 72) << "/" << u16(m, 74)
      << " priority=" << u8(m, 78) << " mode=" << u8(m, 79) << " delivery=" << u8(m, 85)
      << " durability=" << u8(m, 86) << " last=" << u8(m, 87) << " owner=" << user(number_at<uint32_t>(m, 88))
      << " batch=" << (number_at<uint32_t>(m, 92) == 0 ? "none" : "some");
  size_t at = 96;
  const size_t bytes[] = {
      u8(m, 80), u8(m, 81), u8(m, 82), u8(m, 83), u8(m, 84), u16(m, 76), number_at<uint32_t>(m, 64)};
  const char* names[] = {"queue", "type", "subject", "trace", "key", "metadata", "payload"};
  for (size_t i = 0; i < 7; at += bytes[i++])
    out << " " << names[i] << "='" << (at <= m.size() ? m.substr(at, bytes[i]) : "") << "'";
  if (at > m.size()) out << " CUT SHORT";
  return out.str();
}

std::string answer_text(const Record& m) {
  std::ostringstream out;
  out << "answer kind=" << u8(m, 4) << " version=" << u8(m, 5) << " request=" << number_at<uint64_t>(m, 8)
      << " part=" << u8(m, 16);
  put_body(out, u8(m, 16), std::string_view(m).substr(std::min<size_t>(24, m.size())));
  if (u8(m, 16) == 0) out << u8(m, 17);
  return out.str();
}

}  // namespace pqd::test
