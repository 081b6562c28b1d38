// Pins the ABI with literal numbers: whoever changes one of them changes what clients built earlier see, and
// has to raise kAbiVersion.
#include <gtest/gtest.h>

#include "shm/handshake.h"
#include "shm/record_frame.h"
#include "shm/segment.h"
#include "shm/sizes.h"

namespace pqd {
namespace {

TEST(Abi, ConstantsStayAsTheyAre) {
  EXPECT_EQ(kMagic, 0x314D485344515000u);
  EXPECT_EQ(kAbiVersion, 1u);
  EXPECT_EQ(kFeatureResume, 1u);
  EXPECT_EQ(kFeatureRenewal, 2u);
  EXPECT_EQ(kFeaturePartitions, 8u);
  EXPECT_EQ(kFeatures, 11u);
  EXPECT_EQ(kRecordAlign, 8u);
  EXPECT_EQ(kRecordBytesMin, 8u);
  EXPECT_EQ(record_bytes_max(1u << 20), 524288u);
  EXPECT_EQ(kRingBytesMin, 65536u);
  EXPECT_EQ(kRingBytesMax, 268435456u);
  EXPECT_EQ(kReceiptSlotsMin, 64u);
  EXPECT_EQ(kReceiptSlotsMax, 65536u);
  EXPECT_EQ(kReceiptDeferred, 1);
  EXPECT_EQ(kReceiptDuplicate, 2);
  EXPECT_EQ(kReceiptVerdict, 4);
  EXPECT_EQ(static_cast<uint32_t>(EngineState::kStarting), 0u);
  EXPECT_EQ(static_cast<uint32_t>(EngineState::kServing), 1u);
  EXPECT_EQ(static_cast<uint32_t>(EngineState::kStopping), 2u);
}

TEST(Abi, EveryPriorityHasItsLane) {
  const auto lane = [](int priority) { return lane_index(lane_of_priority(static_cast<uint8_t>(priority))); };
  for (int priority = 1; priority <= 4; ++priority) EXPECT_EQ(lane(priority), 0u);
  for (int priority = 5; priority <= 9; ++priority) EXPECT_EQ(lane(priority), 1u);
  for (int priority = 10; priority <= 19; ++priority) EXPECT_EQ(lane(priority), 2u);
  EXPECT_EQ(lane(20), 3u);
  EXPECT_EQ(lane_index(Lane::kControl), 4u);
}

TEST(Abi, UpHeaderKeepsItsOffsets) {
  EXPECT_EQ(sizeof(UpHeader), 4096u);
  EXPECT_EQ(offsetof(UpHeader, tail), 0u);
  EXPECT_EQ(sizeof(UpHeader::tail), 40u);
  EXPECT_EQ(offsetof(UpHeader, receipts_read), 64u);
  EXPECT_EQ(offsetof(UpHeader, deliveries_read), 128u);
  EXPECT_EQ(offsetof(UpHeader, answers_read), 192u);
  EXPECT_EQ(offsetof(UpHeader, waiting), 256u);
}

TEST(Abi, DownHeaderKeepsItsOffsets) {
  EXPECT_EQ(sizeof(DownHeader), 4096u);
  EXPECT_EQ(offsetof(DownHeader, magic), 0u);
  EXPECT_EQ(offsetof(DownHeader, abi), 8u);
  EXPECT_EQ(offsetof(DownHeader, features), 12u);
  EXPECT_EQ(offsetof(DownHeader, session), 16u);
  EXPECT_EQ(offsetof(DownHeader, sizes), 24u);
  EXPECT_EQ(offsetof(DownHeader, max_payload_bytes), 56u);
  EXPECT_EQ(offsetof(DownHeader, tag), 60u);
  EXPECT_EQ(offsetof(DownHeader, engine_epoch), 64u);
  EXPECT_EQ(offsetof(DownHeader, engine_state), 72u);
  EXPECT_EQ(offsetof(DownHeader, outbox_blocked), 76u);
  EXPECT_EQ(offsetof(DownHeader, bell), 128u);
  EXPECT_EQ(offsetof(DownHeader, lanes), 192u);
  EXPECT_EQ(offsetof(DownHeader, receipts_written), 512u);
  EXPECT_EQ(offsetof(DownHeader, deliveries_tail), 576u);
  EXPECT_EQ(offsetof(DownHeader, deliveries_count), 584u);
  EXPECT_EQ(offsetof(DownHeader, answers_tail), 640u);
}

TEST(Abi, LaneReceiptAndWakePageKeepTheirOffsets) {
  EXPECT_EQ(sizeof(LaneDown), 64u);
  EXPECT_EQ(offsetof(LaneDown, head), 0u);
  EXPECT_EQ(offsetof(LaneDown, applied), 8u);
  EXPECT_EQ(offsetof(LaneDown, written), 16u);
  EXPECT_EQ(offsetof(LaneDown, synced), 24u);
  EXPECT_EQ(offsetof(LaneDown, read), 32u);
  EXPECT_EQ(sizeof(Receipt), 64u);
  EXPECT_EQ(offsetof(Receipt, number), 0u);
  EXPECT_EQ(offsetof(Receipt, sequence), 8u);
  EXPECT_EQ(offsetof(Receipt, job_high), 16u);
  EXPECT_EQ(offsetof(Receipt, job_low), 24u);
  EXPECT_EQ(offsetof(Receipt, retry_after_ms), 32u);
  EXPECT_EQ(offsetof(Receipt, detail), 36u);
  EXPECT_EQ(offsetof(Receipt, lane), 40u);
  EXPECT_EQ(offsetof(Receipt, code), 41u);
  EXPECT_EQ(offsetof(Receipt, flags), 42u);
  EXPECT_EQ(sizeof(WakePage), 4096u);
  EXPECT_EQ(offsetof(WakePage, sleeping), 0u);
}

TEST(Abi, HandshakeMessagesKeepTheirOffsets) {
  EXPECT_EQ(static_cast<uint32_t>(MessageKind::kHello), 1u);
  EXPECT_EQ(static_cast<uint32_t>(MessageKind::kWelcome), 2u);
  EXPECT_EQ(static_cast<uint32_t>(MessageKind::kRefusal), 3u);
  EXPECT_EQ(sizeof(Hello), 128u);
  EXPECT_EQ(offsetof(Hello, abi_min), 12u);
  EXPECT_EQ(offsetof(Hello, features), 20u);
  EXPECT_EQ(offsetof(Hello, sizes), 24u);
  EXPECT_EQ(offsetof(Hello, resume_session), 56u);
  EXPECT_EQ(offsetof(Hello, resume_secret), 64u);
  EXPECT_EQ(offsetof(Hello, deliveries_seen), 80u);
  EXPECT_EQ(offsetof(Hello, client_name), 88u);
  EXPECT_EQ(offsetof(Hello, partition), 120u);
  EXPECT_EQ(sizeof(Welcome), 96u);
  EXPECT_EQ(offsetof(Welcome, abi), 12u);
  EXPECT_EQ(offsetof(Welcome, tag), 20u);
  EXPECT_EQ(offsetof(Welcome, session), 24u);
  EXPECT_EQ(offsetof(Welcome, secret), 32u);
  EXPECT_EQ(offsetof(Welcome, sizes), 48u);
  EXPECT_EQ(offsetof(Welcome, max_payload_bytes), 80u);
  EXPECT_EQ(offsetof(Welcome, resumed), 84u);
  EXPECT_EQ(offsetof(Welcome, partitions), 88u);
  EXPECT_EQ(offsetof(Welcome, partition), 92u);
  EXPECT_EQ(sizeof(Refusal), 264u);
  EXPECT_EQ(offsetof(Refusal, abi_min), 12u);
  EXPECT_EQ(offsetof(Refusal, code), 20u);
  EXPECT_EQ(offsetof(Refusal, text), 24u);
}

TEST(Abi, FilesHaveTheHeaderAndThenEachPartOnce) {
  const SegmentSizes sizes;
  EXPECT_EQ(up_layout(sizes).file_bytes(), 4096u + 5 * 1048576u);
  EXPECT_EQ(up_layout(sizes).file_offset(2), 4096u + 1048576u);
  EXPECT_EQ(up_layout(sizes).address_bytes(), 4096u + 10 * 1048576u);
  EXPECT_EQ(down_layout(sizes).file_bytes(), 4096u + 65536u + 2 * 1048576u);
  EXPECT_EQ(down_layout(sizes).file_offset(2), 4096u + 65536u);
  EXPECT_EQ(wake_layout().file_bytes(), 4096u);
}

TEST(SegmentSizes, DefaultsMayBeUsedAndTakeSevenMebibytes) {
  EXPECT_FALSE(check_sizes(SegmentSizes{}));
  EXPECT_EQ(session_bytes(SegmentSizes{}), 7u * 1048576 + 65536 + 2 * 4096);
}

TEST(SegmentSizes, RefusesWhatIsNoPowerOfTwoOrOutOfRange) {
  for (const uint32_t bad : {0u, 1u, 4096u, 65537u, 100'000u, 3u << 20, 512u << 20, 0xFFFFFFFFu}) {
    for (size_t lane = 0; lane < kLaneCount; ++lane) {
      SegmentSizes sizes;
      sizes.lane_bytes[lane] = bad;
      EXPECT_TRUE(check_sizes(sizes)) << bad;
    }
    SegmentSizes sizes;
    sizes.deliveries_bytes = bad;
    EXPECT_TRUE(check_sizes(sizes)) << bad;
    sizes = {};
    sizes.answers_bytes = bad;
    EXPECT_TRUE(check_sizes(sizes)) << bad;
  }
  for (const uint32_t bad : {0u, 32u, 100u, 131072u}) {
    SegmentSizes sizes;
    sizes.receipt_slots = bad;
    EXPECT_TRUE(check_sizes(sizes)) << bad;
  }
}

TEST(SegmentSizes, ZeroBecomesTheDefaultAndTheRestStays) {
  SegmentSizes wanted{{}, 0, 0, 0};
  EXPECT_EQ(with_defaults(wanted), SegmentSizes{});
  wanted.lane_bytes[1] = 1u << 24;
  EXPECT_EQ(with_defaults(wanted).lane_bytes[1], 1u << 24);
}

}  // namespace
}  // namespace pqd
