// What the service manager hands back is believed only as far as it is what was left.
#include "daemon/supervisor/returned_session.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "daemon/supervisor/session_card.h"
#include "daemon/supervisor/session_files.h"
#include "shm/memfd.h"

namespace pqd::supervisor_test {
namespace {

constexpr uint64_t kNumber = 17;

SegmentSizes small_sizes() {
  SegmentSizes sizes;
  sizes.lane_bytes.fill(kRingBytesMin);
  sizes.receipt_slots = kReceiptSlotsMin;
  sizes.deliveries_bytes = sizes.answers_bytes = kRingBytesMin;
  return sizes;
}

UniqueFd event(int flags = EFD_NONBLOCK) { return UniqueFd(::eventfd(0, flags | EFD_CLOEXEC)); }

// A session as it is left, and its client's end.
struct Left {
  Left() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()), 0);
    client.reset(ends[1]);
    SessionFiles files = create_session_files(small_sizes()).value();
    files.mapping.describe(kNumber, kNumber, kFeatures, 1000);
    files.mapping.header().engine_epoch.store(9);
    files.mapping.header().engine_state.store(static_cast<uint32_t>(EngineState::kServing));
    files.mapping.answers_data()[kRingBytesMin - 1] = std::byte{5};
    EXPECT_TRUE(seal_for_client_reading(files.down.get()));
    part(SessionPart::kSocket).reset(ends[0]);
    part(SessionPart::kUp) = std::move(files.up);
    part(SessionPart::kDown) = std::move(files.down);
    part(SessionPart::kClientDoorbell) = std::move(files.client_doorbell);
    part(SessionPart::kEngineDoorbell) = std::move(files.engine_doorbell);
    part(SessionPart::kCard) = write_session_card(card()).value();
  }

  static SessionCard card() {
    SessionCard card;
    card.session = kNumber;
    card.uid = ::getuid();
    card.gid = ::getgid();
    card.pid = static_cast<uint32_t>(::getpid());
    card.features = kFeatures;
    card.sizes = small_sizes();
    card.secret_hash.fill(3);
    card.client_name = {'b', 'i', 'l', 'l'};
    return card;
  }
  UniqueFd& part(SessionPart which) { return parts[static_cast<size_t>(which)]; }

  SessionParts parts;
  UniqueFd client;
};

// Why it is not taken back, "" when it is.
std::string refusal(Left& left) {
  const auto taken = take_back(kNumber, left.parts);
  return taken ? "" : taken.error();
}
bool refused_for(Left& left, const std::string& reason) {
  const std::string why = refusal(left);
  return why.find(reason) != std::string::npos;
}

TEST(ReturnedSession, IsWholeAgainWithADownThatWeCanWriteAndNobodyElse) {
  Left left;
  const auto taken = take_back(kNumber, left.parts);
  ASSERT_TRUE(taken) << taken.error();
  EXPECT_EQ(taken->number, kNumber);
  EXPECT_EQ(taken->peer.pid, static_cast<uint32_t>(::getpid()));
  EXPECT_EQ(taken->hello.sizes, small_sizes());
  EXPECT_EQ(taken->secret_hash, Left::card().secret_hash);
  EXPECT_STREQ(taken->hello.client_name.data(), "bill");
  auto& mapping = const_cast<DownSegment&>(taken->files.mapping);
  EXPECT_EQ(mapping.header().session, kNumber);
  EXPECT_EQ(mapping.header().engine_epoch.load(), 9u);
  EXPECT_EQ(mapping.answers_data()[kRingBytesMin - 1], std::byte{5});
  EXPECT_EQ(mapping.header().engine_state.load(), static_cast<uint32_t>(EngineState::kStarting));
  mapping.header().bell.store(1);
  EXPECT_TRUE(check_memfd(taken->files.down.get(), down_layout(small_sizes()).file_bytes(),
                          Sealed::kForClientReading));
}

TEST(ReturnedSession, WithACardThatIsNoneIsRefused) {
  const auto with = [](const SessionCard& card) {
    Left left;
    left.part(SessionPart::kCard) = write_session_card(card).value();
    return refusal(left);
  };
  SessionCard card = Left::card();
  card.magic ^= 1;
  EXPECT_NE(with(card), "");
  card = Left::card();
  card.session = kNumber + 1;
  EXPECT_NE(with(card), "");
  card = Left::card();
  card.sizes.receipt_slots = 3;
  EXPECT_NE(with(card), "");
  card = Left::card();
  card.client_name.fill('x');
  EXPECT_NE(with(card), "");
  Left open;
  open.part(SessionPart::kCard) = create_memfd("pqd-test", sizeof(SessionCard)).value();
  EXPECT_TRUE(refused_for(open, "card"));
  Left none;
  none.part(SessionPart::kCard) = event();
  EXPECT_TRUE(refused_for(none, "card"));
}

TEST(ReturnedSession, WithAnotherSocketIsRefused) {
  Left stream;
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd other(ends[1]);
  stream.part(SessionPart::kSocket).reset(ends[0]);
  EXPECT_TRUE(refused_for(stream, "none of ours"));
  Left foreign;
  SessionCard card = Left::card();
  card.pid = 1;
  foreign.part(SessionPart::kCard) = write_session_card(card).value();
  EXPECT_TRUE(refused_for(foreign, "somebody else"));
  Left gone;
  gone.client.reset();
  EXPECT_TRUE(refused_for(gone, "gone meanwhile"));
  Left talkative;
  ASSERT_EQ(::send(talkative.client.get(), "x", 1, 0), 1);
  EXPECT_TRUE(refused_for(talkative, "spoke"));
}

TEST(ReturnedSession, WithOtherMemoryIsRefused) {
  const uint64_t up_bytes = up_layout(small_sizes()).file_bytes();
  const uint64_t down_bytes = down_layout(small_sizes()).file_bytes();
  Left unsealed_up;
  unsealed_up.part(SessionPart::kUp) = create_memfd("pqd-test", up_bytes).value();
  EXPECT_TRUE(refused_for(unsealed_up, "Up"));
  Left short_up;
  short_up.part(SessionPart::kUp) = create_memfd("pqd-test", up_bytes - kPageBytes).value();
  ASSERT_TRUE(seal_for_client_writing(short_up.part(SessionPart::kUp).get()));
  EXPECT_TRUE(refused_for(short_up, "Up"));
  Left swapped;
  std::swap(swapped.part(SessionPart::kUp), swapped.part(SessionPart::kDown));
  EXPECT_TRUE(refused_for(swapped, "Up"));
  // What its client may still write to is no Down.
  Left writable_down;
  writable_down.part(SessionPart::kDown) = create_memfd("pqd-test", down_bytes).value();
  EXPECT_TRUE(refused_for(writable_down, "Down"));
  Left empty_down;
  empty_down.part(SessionPart::kDown) = create_memfd("pqd-test", down_bytes).value();
  ASSERT_TRUE(seal_for_client_reading(empty_down.part(SessionPart::kDown).get()));
  EXPECT_TRUE(refused_for(empty_down, "another session's"));
}

TEST(ReturnedSession, WithADoorbellThatIsNoneIsRefused) {
  Left file;
  file.part(SessionPart::kClientDoorbell).reset(::open("/dev/null", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  EXPECT_TRUE(refused_for(file, "doorbell"));
  Left blocking;
  blocking.part(SessionPart::kClientDoorbell) = event(0);
  EXPECT_TRUE(refused_for(blocking, "doorbell"));
  // What its client can make hold up whoever rings it.
  Left shared;
  shared.part(SessionPart::kEngineDoorbell) = event();
  EXPECT_TRUE(refused_for(shared, "doorbell"));
  // Its client could send things to it.
  Left open;
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd other(ends[1]);
  open.part(SessionPart::kEngineDoorbell).reset(ends[0]);
  EXPECT_TRUE(refused_for(open, "doorbell"));
}

}  // namespace
}  // namespace pqd::supervisor_test
