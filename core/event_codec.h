// Events as bytes, by the fields that each of them lists; see event.h for what may change and what may not.
#pragma once

#include "core/event.h"

namespace pqd {

namespace event_detail {

// A ByteWriter into an array that has the room: no check a byte.
class ArrayWriter {
 public:
  explicit ArrayWriter(std::byte* array) : array_(array), at_(array) {}

  size_t position() const { return static_cast<size_t>(at_ - array_); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) *at_++ = static_cast<std::byte>(value | 0x80);
    *at_++ = static_cast<std::byte>(value);
  }
  void signed_varint(int64_t value) { varint(zigzag(value)); }
  template <class Pod>
  void pod(const Pod& value) {
    static_assert(std::has_unique_object_representations_v<Pod>);
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
  }

 private:
  std::byte* array_;
  std::byte* at_;
};

template <class Writer>
struct Encoder {
  Writer& to;
  size_t hash_at = 0;  // where the hash written last begins
  template <class... Fields>
  void operator()(const Fields&... fields) {
    (one(fields), ...);
  }
  void one(const std::string& text) { to.text(text); }
  void one(const ShortHash& hash) {
    hash_at = to.position();
    to.pod(hash);
  }
  void one(const BlobRef& ref) { to.varint(ref.offset), to.varint(ref.bytes); }
  template <std::unsigned_integral Number>
  void one(const std::vector<Number>& list) {
    to.varint(list.size());
    for (const Number item : list) to.varint(item);
  }
  template <class T>
  void one(const T& value) {
    if constexpr (std::is_enum_v<T>) {
      to.varint(static_cast<uint64_t>(value));
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      to.signed_varint(value);
    } else if constexpr (std::is_integral_v<T>) {
      to.varint(value);
    } else {
      to.pod(value);
    }
  }
};

struct Decoder {
  ByteReader& from;
  template <class... Fields>
  void operator()(Fields&... fields) {
    (one(fields), ...);
  }
  void one(std::string& text) { text = from.text(); }
  void one(BlobRef& ref) {
    ref.offset = static_cast<uint32_t>(from.varint());
    ref.bytes = static_cast<uint32_t>(from.varint());
  }
  template <std::unsigned_integral Number>
  void one(std::vector<Number>& list) {
    const uint64_t count = from.varint();
    list.clear();
    for (uint64_t i = 0; i < count && !from.failed(); ++i) list.push_back(static_cast<Number>(from.varint()));
  }
  template <class T>
  void one(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = from.varint() != 0;
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(from.varint());
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      value = static_cast<T>(from.signed_varint());
    } else if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(from.varint());
    } else {
      value = from.pod<T>();
    }
  }
};

// Where in what the writer has written the event's last hash begins, 0 when it has none.
template <class Event, class Writer>
size_t write_event(const Event& event, Writer& writer) {
  writer.pod(Event::kKind);
  Encoder<Writer> encoder{writer};
  Event::fields(event, encoder);
  return encoder.hash_at;
}

template <class Event, class Visitor>
bool decode_as(ByteReader& reader, Visitor& visitor) {
  Event event;
  Event::fields(event, Decoder{reader});
  if (reader.failed()) return false;
  visitor(event);
  return true;
}

}  // namespace event_detail

// Appends the event; returns where in `out` its last hash begins, 0 when it has none.
template <class Event>
size_t encode_event(const Event& event, Bytes& out) {
  using namespace event_detail;
  if constexpr (std::is_trivially_copyable_v<Event>) {
    // Neither texts nor lists. A field of one byte takes two at most, larger ones less for each of theirs.
    std::array<std::byte, sizeof(Event::kKind) + 2 * sizeof(Event)> bytes;
    ArrayWriter writer(bytes.data());
    const size_t hash_at = write_event(event, writer);
    const size_t before = out.size();
    out.insert(out.end(), bytes.data(), bytes.data() + writer.position());
    return hash_at == 0 ? 0 : before + hash_at;
  } else {
    ByteWriter writer(out);
    return write_event(event, writer);
  }
}

// Reads one event and calls visitor(const Event&), which must take every kind. False: the bytes are not an
// event.
template <class Visitor>
bool decode_event(ByteReader& reader, Visitor&& visitor) {
  using event_detail::decode_as;
  switch (reader.pod<EventKind>()) {
    case EventKind::kTimePassed:
      return decode_as<TimePassed>(reader, visitor);
    case EventKind::kEpochStarted:
      return decode_as<EpochStarted>(reader, visitor);
    case EventKind::kQueueCreated:
      return decode_as<QueueCreated>(reader, visitor);
    case EventKind::kQueueConfigured:
      return decode_as<QueueConfigured>(reader, visitor);
    case EventKind::kQueueOverridden:
      return decode_as<QueueOverridden>(reader, visitor);
    case EventKind::kQueueControlled:
      return decode_as<QueueControlled>(reader, visitor);
    case EventKind::kTypeNamed:
      return decode_as<TypeNamed>(reader, visitor);
    case EventKind::kNamesCounted:
      return decode_as<NamesCounted>(reader, visitor);
    case EventKind::kSessionOpened:
      return decode_as<SessionOpened>(reader, visitor);
    case EventKind::kSessionClosed:
      return decode_as<SessionClosed>(reader, visitor);
    case EventKind::kSessionResumed:
      return decode_as<SessionResumed>(reader, visitor);
    case EventKind::kSubscribed:
      return decode_as<Subscribed>(reader, visitor);
    case EventKind::kUnsubscribed:
      return decode_as<Unsubscribed>(reader, visitor);
    case EventKind::kLaneAdvanced:
      return decode_as<LaneAdvanced>(reader, visitor);
    case EventKind::kReceiptIssued:
      return decode_as<ReceiptIssued>(reader, visitor);
    case EventKind::kReceiptsTaken:
      return decode_as<ReceiptsTaken>(reader, visitor);
    case EventKind::kSubmitted:
      return decode_as<Submitted>(reader, visitor);
    case EventKind::kAdmitted:
      return decode_as<Admitted>(reader, visitor);
    case EventKind::kKeyTurn:
      return decode_as<KeyTurn>(reader, visitor);
    case EventKind::kKeyKept:
      return decode_as<KeyKept>(reader, visitor);
    case EventKind::kKeyFreed:
      return decode_as<KeyFreed>(reader, visitor);
    case EventKind::kDeliveriesCounted:
      return decode_as<DeliveriesCounted>(reader, visitor);
    case EventKind::kBatchFormed:
      return decode_as<BatchFormed>(reader, visitor);
    case EventKind::kParkRefused:
      return decode_as<ParkRefused>(reader, visitor);
    case EventKind::kReadied:
      return decode_as<Readied>(reader, visitor);
    case EventKind::kAssigned:
      return decode_as<Assigned>(reader, visitor);
    case EventKind::kStarted:
      return decode_as<Started>(reader, visitor);
    case EventKind::kCompleted:
      return decode_as<Completed>(reader, visitor);
    case EventKind::kAttemptFailed:
      return decode_as<AttemptFailed>(reader, visitor);
    case EventKind::kFailed:
      return decode_as<Failed>(reader, visitor);
    case EventKind::kTimedOut:
      return decode_as<TimedOut>(reader, visitor);
    case EventKind::kCancelled:
      return decode_as<Cancelled>(reader, visitor);
    case EventKind::kCancelRequested:
      return decode_as<CancelRequested>(reader, visitor);
    case EventKind::kReleased:
      return decode_as<Released>(reader, visitor);
    case EventKind::kExtended:
      return decode_as<Extended>(reader, visitor);
    case EventKind::kRedriven:
      return decode_as<Redriven>(reader, visitor);
    case EventKind::kReviewed:
      return decode_as<Reviewed>(reader, visitor);
    case EventKind::kPurged:
      return decode_as<Purged>(reader, visitor);
    case EventKind::kRateCharged:
      return decode_as<RateCharged>(reader, visitor);
    case EventKind::kReheld:
      return decode_as<Reheld>(reader, visitor);
    case EventKind::kRefused:
      return decode_as<Refused>(reader, visitor);
    case EventKind::kCronSet:
      return decode_as<CronSet>(reader, visitor);
    case EventKind::kCronRemoved:
      return decode_as<CronRemoved>(reader, visitor);
    case EventKind::kCronFired:
      return decode_as<CronFired>(reader, visitor);
  }
  return false;
}

}  // namespace pqd
