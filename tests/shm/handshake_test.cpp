#include "shm/handshake.h"

#include <sys/socket.h>

#include <string>

#include "core/limits.h"
#include "tests/shm/fixtures.h"

namespace pqd {
namespace {

constexpr WireTimeout kPatience{60'000};

class Handshake : public testing::Test {
 protected:
  Handshake() {
    std::array<int, 2> fds{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()), 0);
    client_.reset(fds[0]);
    daemon_.reset(fds[1]);
  }

  // What the daemon makes of these bytes.
  std::expected<Hello, WireError> hello_of(std::span<const std::byte> bytes) {
    EXPECT_TRUE(send_message(client_.get(), bytes, {}, kPatience));
    return receive_hello(daemon_.get(), kPatience);
  }
  WireFault fault_of(const Hello& hello) {
    return hello_of(std::as_bytes(std::span(&hello, 1))).error().fault;
  }
  template <class Pod>
  std::expected<Reply, WireError> reply_of(const Pod& message, std::span<const int> fds) {
    EXPECT_TRUE(send_message(daemon_.get(), message, fds, kPatience));
    return receive_reply(client_.get(), kPatience);
  }

  UniqueFd client_;
  UniqueFd daemon_;
};

SessionFds events() {
  return {test::make_event(), test::make_event(), test::make_event(), test::make_event(), test::make_event()};
}

TEST_F(Handshake, ADefaultHelloIsUnderstoodAndItsSizesFilledIn) {
  Hello hello;
  hello.resume_session = 9;
  hello.deliveries_seen = 77;
  std::ranges::copy(std::string_view("billing"), hello.client_name.begin());
  const auto got = hello_of(std::as_bytes(std::span(&hello, 1)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->sizes, SegmentSizes{});
  EXPECT_EQ(got->resume_session, 9u);
  EXPECT_EQ(got->deliveries_seen, 77u);
  EXPECT_STREQ(got->client_name.data(), "billing");
}

TEST_F(Handshake, AWelcomeBringsFiveDescriptorsInOrder) {
  Welcome welcome;
  welcome.session = 5;
  welcome.tag = 6;
  welcome.secret.fill(7);
  const SessionFds fds = events();
  ASSERT_TRUE(send_welcome(daemon_.get(), welcome, fds, kPatience));
  auto reply = receive_reply(client_.get(), kPatience);
  ASSERT_TRUE(reply);
  const auto& accepted = std::get<Accepted>(*reply);
  EXPECT_EQ(accepted.welcome.session, 5u);
  EXPECT_EQ(accepted.welcome.tag, 6u);
  EXPECT_EQ(accepted.welcome.secret, welcome.secret);
  const uint64_t value = 3;
  ASSERT_EQ(::write(accepted.fds.engine_doorbell.get(), &value, sizeof value), 8);
  EXPECT_EQ(test::take_rings(fds.engine_doorbell), 3u);
  ASSERT_EQ(::write(accepted.fds.up.get(), &value, sizeof value), 8);
  EXPECT_EQ(test::take_rings(fds.up), 3u);
}

TEST_F(Handshake, ARefusalSaysWhyAndWhichVersionsThereAre) {
  ASSERT_TRUE(send_refusal(daemon_.get(), 12, "not this user", kPatience));
  const auto reply = receive_reply(client_.get(), kPatience);
  ASSERT_TRUE(reply);
  const auto& refusal = std::get<Refusal>(*reply);
  EXPECT_EQ(refusal.code, 12);
  EXPECT_EQ(refusal.abi_max, kAbiVersion);
  EXPECT_EQ(refusal_text(refusal), "not this user");
}

TEST_F(Handshake, ARefusalsLongTextIsCut) {
  ASSERT_TRUE(send_refusal(daemon_.get(), 1, std::string(1'000, 'x'), kPatience));
  const auto reply = receive_reply(client_.get(), kPatience);
  EXPECT_EQ(refusal_text(std::get<Refusal>(reply.value())), std::string(239, 'x'));
}

TEST_F(Handshake, RefusesAHelloOfAnotherProtocol) {
  Hello hello;
  hello.magic ^= 1;
  EXPECT_EQ(fault_of(hello), WireFault::kNotPqd);
  hello = {};
  hello.kind = MessageKind::kWelcome;
  EXPECT_EQ(fault_of(hello), WireFault::kNotPqd);
  const std::vector<std::byte> text(sizeof(Hello), std::byte{'G'});
  EXPECT_EQ(hello_of(text).error().fault, WireFault::kNotPqd);
}

TEST_F(Handshake, RefusesVersionsThatDoNotMeetWhateverTheRestLooksLike) {
  Hello hello;
  hello.abi_min = kAbiVersion + 1;
  hello.abi_max = kAbiVersion + 3;
  EXPECT_EQ(fault_of(hello), WireFault::kWrongAbi);
  std::vector<std::byte> longer(sizeof(Hello) + 100);
  std::memcpy(longer.data(), &hello, sizeof hello);
  EXPECT_EQ(hello_of(longer).error().fault, WireFault::kWrongAbi);
  hello.abi_min = hello.abi_max = 0;
  EXPECT_EQ(fault_of(hello), WireFault::kWrongAbi);
}

TEST_F(Handshake, RefusesAHelloThatIsShortOrLong) {
  const Hello hello;
  const auto whole = std::as_bytes(std::span(&hello, 1));
  EXPECT_EQ(hello_of(whole.first(1)).error().fault, WireFault::kWrongSize);
  EXPECT_EQ(hello_of(whole.first(sizeof(Hello) - 1)).error().fault, WireFault::kWrongSize);
  std::vector<std::byte> longer(2'000);
  std::memcpy(longer.data(), &hello, sizeof hello);
  EXPECT_EQ(hello_of(std::span(longer).first(sizeof(Hello) + 1)).error().fault, WireFault::kWrongSize);
  EXPECT_EQ(hello_of(longer).error().fault, WireFault::kWrongSize);
}

TEST_F(Handshake, RefusesAHelloWithFieldsOutOfRange) {
  Hello hello;
  hello.sizes.lane_bytes[2] = 1'000'000;
  EXPECT_EQ(fault_of(hello), WireFault::kWrongField);
  hello = {};
  hello.client_name.fill('x');
  EXPECT_EQ(fault_of(hello), WireFault::kWrongField);
  hello.client_name = {'a', '\n', '\0'};
  EXPECT_EQ(fault_of(hello), WireFault::kWrongField);
}

TEST_F(Handshake, RefusesAHelloWithDescriptors) {
  const UniqueFd event = test::make_event();
  const std::array<int, 1> fds{event.get()};
  ASSERT_TRUE(send_message(client_.get(), Hello{}, fds, kPatience));
  EXPECT_EQ(receive_hello(daemon_.get(), kPatience).error().fault, WireFault::kWrongFds);
}

TEST_F(Handshake, RefusesAWelcomeWithTooFewOrTooManyDescriptors) {
  const UniqueFd event = test::make_event();
  for (const size_t count : {0u, 4u, 6u}) {
    const std::vector<int> fds(count, event.get());
    EXPECT_EQ(reply_of(Welcome{}, fds).error().fault, WireFault::kWrongFds) << count;
  }
}

TEST_F(Handshake, RefusesARefusalWithDescriptors) {
  const UniqueFd event = test::make_event();
  const std::array<int, 1> fds{event.get()};
  EXPECT_EQ(reply_of(Refusal{}, fds).error().fault, WireFault::kWrongFds);
}

TEST_F(Handshake, RefusesAWelcomeThatIsNotOne) {
  const UniqueFd event = test::make_event();
  const std::vector<int> fds(kSessionFdCount, event.get());
  Welcome welcome;
  welcome.magic = 0;
  EXPECT_EQ(reply_of(welcome, fds).error().fault, WireFault::kNotPqd);
  welcome = {};
  welcome.kind = static_cast<MessageKind>(77);
  EXPECT_EQ(reply_of(welcome, fds).error().fault, WireFault::kNotPqd);
  welcome = {};
  welcome.abi = kAbiVersion + 1;
  EXPECT_EQ(reply_of(welcome, fds).error().fault, WireFault::kWrongAbi);
  welcome = {};
  welcome.sizes.receipt_slots = 3;
  EXPECT_EQ(reply_of(welcome, fds).error().fault, WireFault::kWrongField);
  EXPECT_EQ(reply_of(uint64_t{kMagic}, fds).error().fault, WireFault::kWrongSize);
}

TEST_F(Handshake, AHelloNamesItsPartitionUnlessThatIsTheFirst) {
  Hello hello;
  EXPECT_EQ(wire_bytes(hello).size(), 120u) << "what daemons without partitions understand";
  EXPECT_EQ(hello_of(wire_bytes(hello)).value().partition, 0u);
  hello.partition = limits::kPartitionsMax - 1;
  EXPECT_EQ(hello_of(wire_bytes(hello)).value().partition, hello.partition);
  EXPECT_EQ(hello_of(wire_bytes(hello).first(124)).error().fault, WireFault::kWrongSize);
  hello.partition = limits::kPartitionsMax;
  EXPECT_EQ(fault_of(hello), WireFault::kWrongField);
}

TEST_F(Handshake, AClientThatDoesNotKnowPartitionsCannotAskForOne) {
  Hello hello;
  hello.features = kFeatureResume | kFeatureRenewal;
  EXPECT_TRUE(hello_of(std::as_bytes(std::span(&hello, 1))));
  hello.partition = 1;
  EXPECT_EQ(fault_of(hello), WireFault::kWrongField);
}

Welcome welcome_of(uint32_t features, uint32_t partitions, uint32_t partition) {
  Welcome welcome;
  welcome.features = features;
  welcome.partitions = partitions;
  welcome.partition = partition;
  return welcome;
}

TEST_F(Handshake, AWelcomeTellsOfPartitionsThoseWhoKnowThem) {
  const SessionFds fds = events();
  const auto told = [&](uint32_t features) {
    EXPECT_TRUE(send_welcome(daemon_.get(), welcome_of(features, 3, 2), fds, kPatience));
    return std::get<Accepted>(receive_reply(client_.get(), kPatience).value()).welcome;
  };
  EXPECT_EQ(told(kFeaturePartitions).partitions, 3u);
  EXPECT_EQ(told(kFeaturePartitions).partition, 2u);
  EXPECT_EQ(told(kFeatureResume | kFeatureRenewal).partitions, 1u);
  EXPECT_EQ(told(kFeatureResume | kFeatureRenewal).partition, 0u);
  EXPECT_EQ(told(kFeatureResume | kFeatureRenewal | 4).partitions, 1u) << "who places queues by another hash";
  EXPECT_EQ(wire_bytes(Welcome{}).size(), 88u) << "what clients without partitions understand";
}

TEST_F(Handshake, RefusesAWelcomeToAPartitionThatIsNone) {
  const UniqueFd event = test::make_event();
  const std::vector<int> fds(kSessionFdCount, event.get());
  for (const auto& [partitions, partition] : {std::pair{0u, 0u}, {1u, 1u}, {65u, 0u}, {2u, 7u}}) {
    EXPECT_EQ(reply_of(welcome_of(kFeatures, partitions, partition), fds).error().fault,
              WireFault::kWrongField)
        << partitions;
  }
}

TEST_F(Handshake, ARenewalBringsTwoDescriptorsAndOneThatIsNotIsRefused) {
  const UniqueFd event = test::make_event();
  const std::vector<int> two(kRenewalFdCount, event.get());
  const auto renewal_of = [&](const auto& message, std::span<const int> fds) {
    EXPECT_TRUE(send_message(daemon_.get(), message, fds, kPatience));
    return receive_renewal(client_.get(), 5);
  };
  EXPECT_EQ(receive_renewal(client_.get(), 5).error().fault, WireFault::kTimeout);
  Renewal renewal{.session = 5};
  auto got = renewal_of(renewal, two);
  ASSERT_TRUE(got);
  EXPECT_TRUE(got->down && got->wake);
  EXPECT_EQ(renewal_of(renewal, {}).error().fault, WireFault::kWrongFds);
  EXPECT_EQ(renewal_of(renewal, std::span(two).first(1)).error().fault, WireFault::kWrongFds);
  EXPECT_EQ(renewal_of(Welcome{}, two).error().fault, WireFault::kNotPqd);
  EXPECT_EQ(renewal_of(uint64_t{kMagic}, two).error().fault, WireFault::kWrongSize);
  renewal.session = 6;
  EXPECT_EQ(renewal_of(renewal, two).error().fault, WireFault::kWrongField);
  renewal = {.abi = kAbiVersion + 1, .session = 5};
  EXPECT_EQ(renewal_of(renewal, two).error().fault, WireFault::kWrongAbi);
  daemon_.reset();
  EXPECT_EQ(receive_renewal(client_.get(), 5).error().fault, WireFault::kClosed);
}

TEST_F(Handshake, ARenewalInPlaceOfAWelcomeSaysThatOneHasToDialAgain) {
  const UniqueFd event = test::make_event();
  const std::vector<int> two(kRenewalFdCount, event.get());
  EXPECT_EQ(reply_of(Renewal{.session = 5}, two).error().fault, WireFault::kClosed);
}

TEST_F(Handshake, AClientThatSaysNothingIsGivenUp) {
  EXPECT_EQ(receive_hello(daemon_.get(), WireTimeout(5)).error().fault, WireFault::kTimeout);
  client_.reset();
  EXPECT_EQ(receive_hello(daemon_.get(), kPatience).error().fault, WireFault::kClosed);
}

TEST(WireFaults, EachHasItsSentence) {
  for (uint8_t i = 0; i <= static_cast<uint8_t>(WireFault::kSystem); ++i)
    EXPECT_NE(wire_fault_text(static_cast<WireFault>(i)), "unknown fault");
  EXPECT_EQ(wire_fault_text(static_cast<WireFault>(200)), "unknown fault");
}

}  // namespace
}  // namespace pqd
