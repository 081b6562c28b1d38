#include "core/event.h"
#include "core/event_codec.h"

#include <gtest/gtest.h>

#include <set>

namespace pqd {
namespace {

// Writes again whatever was read, and notes its kind.
struct Echo {
  Bytes bytes;
  EventKind kind{};
  template <class Event>
  void operator()(const Event& e) {
    kind = Event::kKind;
    encode_event(e, bytes);
  }
};

// One of each kind, no field left at zero, so that a forgotten field shows.
class Samples {
 public:
  Samples() {
    const QueueSettings settings{.max_depth = 7, .max_bytes = 1ull << 40, .fair = Fairness::kUser};
    const ShortHash hash{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    const JobId id = JobId::make(1'700'000'000'000, 0xABCDEF01, 2, 1234);
    const BlobRef blob{300, 70'000};
    add(TimePassed{1'700'000'000'123'456'789});
    add(EpochStarted{300});
    add(QueueCreated{200, "orders", settings});
    add(QueueConfigured{200, settings});
    add(QueueOverridden{200, settings, 0x1001, 9});
    add(QueueControlled{200, true, true, 9});
    add(TypeNamed{70'000, "mail.send"});
    add(NamesCounted{1000, 200, 70'000});
    add(SessionOpened{1ull << 50, 1000, 4242, 0xFFFFFFFF, hash});
    add(SessionClosed{5});
    add(SessionResumed{5, 6, 4});
    add(Subscribed{5, 6, 7, 800, {1, 2, 300}});
    add(Unsubscribed{5, 6});
    add(LaneAdvanced{5, 4, 1ull << 40, 1ull << 45});
    add(ReceiptIssued{5, 3, 999, 1, 4, 1000, id});
    add(ReceiptsTaken{5, 66});
    add(Submitted{1, 2, 1000, 3, 4, blob, hash, 5, true, true, 3, 77});
    add(Admitted{1, 2, true});
    add(KeyTurn{1, 3});
    add(ParkRefused{1, 1});
    add(Readied{1, 2});
    add(Assigned{1, 2, 3, 4, 5, 1'700'000'060'000'000'000});
    add(Started{1});
    add(Completed{1, blob, hash});
    add(AttemptFailed{1, Reason::kConsumerDied, -5, blob});
    add(Failed{1, Reason::kDoNotRetry, blob});
    add(TimedOut{1});
    add(Cancelled{1, 2});
    add(CancelRequested{1, 2});
    add(Released{1});
    add(Extended{1, 1'700'000'060'000'000'000, 55, blob});
    add(Redriven{1, 2, 3, blob, {9, 10}, 11});
    add(Refused{1, 2, 3, 4, 5, id});
    add(Reheld{1, 2, 3});
    add(Reviewed{1, 2, blob, {9, 10}, {11, 12}});
    add(Purged{1, 2, blob, {9, 10}});
    add(CronSet{"nightly", "0 2 * * *", "Europe/Berlin", 3, 4, 1000, 5, 1'700'000'000'000'000'000, blob,
                hash});
    add(CronRemoved{"nightly", 5});
    add(CronFired{"nightly", 1'700'000'000'000'000'000, 1'700'000'060'000'000'000, 8});
    add(KeyKept{{1, 2}, {3, 4}, {5, 6}, -7});
    add(KeyFreed{{8, 9}});
    add(DeliveriesCounted{1, 2});
    add(BatchFormed{2, {3, 4, uint64_t{1} << 40}});
    add(RateCharged{1000, "ann", 1'700'000'000'123'456'789});
  }
  std::vector<Bytes> list;
  std::set<EventKind> kinds;

 private:
  template <class Event>
  void add(const Event& e) {
    encode_event(e, list.emplace_back());
    EXPECT_TRUE(kinds.insert(Event::kKind).second);
  }
};

// Their bytes are written without a look at how much room is left.
template <class Event>
void expect_read_back(const Event& event) {
  Bytes bytes;
  encode_event(event, bytes);
  Echo echo;
  ByteReader reader(bytes);
  ASSERT_TRUE(decode_event(reader, echo));
  EXPECT_EQ(echo.kind, Event::kKind);
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(echo.bytes, bytes);
}

TEST(EventBytes, HaveRoomForTheLargestNumbers) {
  constexpr uint64_t kLong = UINT64_MAX;
  constexpr uint32_t kWord = UINT32_MAX;
  ShortHash hash;
  hash.fill(0xFF);
  expect_read_back(TimePassed{INT64_MIN});
  expect_read_back(SessionOpened{kLong, kWord, kWord, kWord, hash});
  expect_read_back(LaneAdvanced{kLong, 0xFF, kLong, kLong});
  expect_read_back(
      Submitted{kLong, kLong, kWord, kWord, kWord, {kWord, kWord}, hash, kLong, true, true, 0xFF, kLong});
  expect_read_back(Assigned{kLong, kLong, kWord, kLong, kLong, INT64_MIN});
  expect_read_back(Extended{kLong, INT64_MIN, 0xFF, {kWord, kWord}});
  expect_read_back(Redriven{kLong, kLong, kLong, {kWord, kWord}, {kWord, kWord}, kLong});
}

TEST(Event, EveryKindRoundTrips) {
  const Samples samples;
  for (const Bytes& bytes : samples.list) {
    Echo echo;
    ByteReader reader(bytes);
    ASSERT_TRUE(decode_event(reader, echo));
    EXPECT_EQ(reader.remaining(), 0u);
    EXPECT_EQ(echo.bytes, bytes) << "kind " << int{static_cast<uint8_t>(echo.kind)};
  }
}

TEST(Event, SamplesCoverEveryKindThatIsRead) {
  const Samples samples;
  for (int kind = 0; kind < 256; ++kind) {
    // Enough zeros for any kind's fields: refused is only what is no kind.
    Bytes bytes(256, std::byte{0});
    bytes[0] = static_cast<std::byte>(kind);
    Echo echo;
    ByteReader reader(bytes);
    EXPECT_EQ(decode_event(reader, echo), samples.kinds.contains(static_cast<EventKind>(kind))) << kind;
  }
}

TEST(Event, EveryTruncationIsRefused) {
  const Samples samples;
  for (const Bytes& bytes : samples.list) {
    for (size_t size = 0; size < bytes.size(); ++size) {
      Echo echo;
      ByteReader reader(ByteView(bytes).first(size));
      EXPECT_FALSE(decode_event(reader, echo)) << "kind " << int(bytes[0]) << " cut to " << size;
      EXPECT_TRUE(echo.bytes.empty()) << "half an event was handed on";
    }
  }
}

TEST(Event, NegativeTimesRoundTrip) {
  Bytes bytes;
  encode_event(TimePassed{INT64_MIN}, bytes);
  TimeNs read = 0;
  ByteReader reader(bytes);
  ASSERT_TRUE(decode_event(reader, [&read](const auto& e) {
    if constexpr (requires { e.now_ns; }) read = e.now_ns;
  }));
  EXPECT_EQ(read, INT64_MIN);
}

}  // namespace
}  // namespace pqd
