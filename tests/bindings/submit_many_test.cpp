// Atomic submits, and what lanes and payloads hold.
#include <algorithm>
#include <thread>

#include "tests/bindings/fixtures.h"

namespace pqd::test {
namespace {

class SubmittingMany : public WithClient {
 protected:
  SubmittingMany() : WithClient("[queue.small]\nmax_depth = 5\nadmission_timeout = \"1h\"\n") {}
  std::vector<SubmitRequest> some(size_t count, std::string_view queue = "default") {
    return std::vector<SubmitRequest>(count, SubmitRequest{.type = "t", .queue = queue});
  }
  size_t jobs() { return client().list({.limit = 1'000})->size(); }
};

TEST_F(SubmittingMany, LandsInOneCommitInTheirOrder) {
  auto requests = some(300);
  requests[7].mode = Mode::kPriority;
  requests[7].priority = 20;
  const auto tickets = client().submit_many(requests);
  ASSERT_TRUE(tickets) << text_of(tickets);
  ASSERT_EQ(tickets->size(), 300u);
  for (const Ticket& ticket : *tickets) ASSERT_TRUE(client().wait(ticket, kPatience));
  const auto listed = client().list({.limit = 1'000});
  ASSERT_EQ(listed->size(), 300u);
  for (size_t i = 0; i < 300; ++i) {
    const JobInfo& newest_first = (*listed)[299 - i];
    EXPECT_EQ(newest_first.core.id, (*tickets)[i].id);
    EXPECT_EQ(newest_first.core.created_ns, (*listed)[0].core.created_ns) << "one moment, one commit";
  }
}

TEST_F(SubmittingMany, SendsNoneWhenOneIsBad) {
  auto requests = some(20);
  requests[13].priority = 21;
  const auto refused = client().submit_many(requests);
  EXPECT_EQ(error_of(refused), Error::kInvalidPriority);
  EXPECT_TRUE(has(text_of(refused), "job 14")) << text_of(refused);
  ASSERT_TRUE(client().flush(kPatience));
  EXPECT_EQ(jobs(), 0u);
}

TEST_F(SubmittingMany, IsForOneQueueWithOneDurability) {
  auto requests = some(3);
  requests[1].queue = "other";
  EXPECT_EQ(error_of(client().submit_many(requests)), Error::kInvalidRequest);
  requests = some(3);
  requests[2].durability = Durability::kOs;
  EXPECT_EQ(error_of(client().submit_many(requests)), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().submit_many({})), Error::kInvalidRequest);
  EXPECT_EQ(error_of(client().submit_many(some(65'537))), Error::kInvalidRequest);
  EXPECT_EQ(jobs(), 0u);
}

TEST_F(SubmittingMany, IsRefusedAsAWholeByAFullQueue) {
  const auto too_many = client().submit_many(some(6, "small"));
  ASSERT_TRUE(too_many);
  for (const Ticket& ticket : *too_many) {
    EXPECT_EQ(error_of(client().wait(ticket, kPatience)), Error::kQueueFull);
  }
  EXPECT_EQ(jobs(), 0u);
  const auto enough = client().submit_many(some(5, "small"));
  ASSERT_TRUE(enough);
  for (const Ticket& ticket : *enough) EXPECT_TRUE(client().wait(ticket, kPatience));
  EXPECT_EQ(jobs(), 5u);
}

TEST_F(SubmittingMany, SaysWhenTheyDoNotFitTheLaneTogether) {
  const Bytes payload(100 * 1024);
  auto requests = some(12);
  for (SubmitRequest& request : requests) request.payload = payload;
  const auto refused = client().submit_many(requests);
  EXPECT_EQ(error_of(refused), Error::kPayloadTooLarge);
  EXPECT_TRUE(has(text_of(refused), "larger lane")) << text_of(refused);
  EXPECT_EQ(error_of(client().flush(kPatience)), Error::kOk);
  requests.resize(10);
  EXPECT_TRUE(client().submit_many(requests));
  ASSERT_TRUE(client().flush(kPatience));
  EXPECT_EQ(jobs(), 10u);
}

TEST_F(SubmittingMany, WaitsForRoomInTheLaneAndThenSaysThatItIsFull) {
  Client impatient = connect({.submit_timeout_ms = 30});
  ASSERT_TRUE(daemon_.freeze_engine());
  const Bytes payload(200 * 1024);
  size_t sent = 0;
  Result<Ticket> last;
  while ((last = impatient.submit({.type = "t", .payload = payload}))) ++sent;
  EXPECT_EQ(error_of(last), Error::kQueueFull);
  EXPECT_GT(last.error().retry_after_ms, 0u);
  EXPECT_EQ(sent, 5u) << "of 200 KiB fit one of 1 MiB";
  std::vector<SubmitRequest> many(2, {.type = "t", .payload = payload});
  EXPECT_EQ(error_of(impatient.submit_many(many)), Error::kQueueFull);
  EXPECT_TRUE(impatient.submit({.type = "t", .mode = Mode::kPriority, .priority = 20}))
      << "another lane has room";
  daemon_.thaw_engine();
  ASSERT_TRUE(impatient.flush(kPatience));
  EXPECT_EQ(jobs(), sent + 1);
  EXPECT_TRUE(impatient.submit({.type = "t", .payload = payload}));
}

TEST_F(SubmittingMany, GoesOnAsSoonAsTheDaemonMakesRoom) {
  ASSERT_TRUE(daemon_.freeze_engine());
  const Bytes payload(200 * 1024);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client().submit({.type = "t", .payload = payload}));
  std::jthread waker([&] { daemon_.thaw_engine(); });
  EXPECT_TRUE(client().submit({.type = "t", .payload = payload}));
}

class WithLargePayloads : public WithClient {
 protected:
  WithLargePayloads() : WithClient("[daemon]\nmax_payload_bytes = \"4MiB\"\n") {}
  static SegmentSizes large() {
    SegmentSizes sizes;
    sizes.lane_bytes.fill(16u << 20);
    sizes.deliveries_bytes = sizes.answers_bytes = 16u << 20;
    return sizes;
  }
};

TEST_F(WithLargePayloads, TakesThemThroughALargerLane) {
  Bytes payload(4u << 20);
  for (size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<std::byte>(i * 7 + i / 1000);
  EXPECT_EQ(client().max_payload_bytes(), payload.size());
  const auto small_lane = client().submit({.type = "t", .payload = payload});
  EXPECT_EQ(error_of(small_lane), Error::kPayloadTooLarge);
  EXPECT_TRUE(has(text_of(small_lane), "larger lane")) << text_of(small_lane);
  Client large_lane = connect({.sizes = large()});
  const JobId id = submit(large_lane, {.type = "t", .payload = payload});
  ASSERT_TRUE(large_lane.subscribe({}));
  const DeliveredJob job = take(large_lane);
  EXPECT_EQ(job.id(), id);
  EXPECT_TRUE(std::ranges::equal(job.payload(), payload));
  payload.push_back({});
  EXPECT_EQ(error_of(large_lane.submit({.type = "t", .payload = payload})), Error::kPayloadTooLarge);
}

TEST_F(WithLargePayloads, ReachConsumersThatAskedForNothing) {
  Client large_lane = connect({.sizes = large()});
  const Bytes payload(3u << 20, std::byte{7});
  submit(large_lane, {.type = "t", .payload = payload});
  submit(large_lane, {.type = "t", .payload = as_bytes("behind it")});
  ASSERT_TRUE(client().subscribe({.credits = 2}));
  EXPECT_EQ(take(client()).payload().size(), payload.size());
  EXPECT_EQ(as_text(take(client()).payload()), "behind it");
}

class WithTheLargestPayloads : public WithClient {
 protected:
  WithTheLargestPayloads() : WithClient("[daemon]\nmax_payload_bytes = \"16MiB\"\n") {}
};

TEST_F(WithTheLargestPayloads, TakesSixteenMebibytesAndNoByteMore) {
  Bytes payload(16u << 20, std::byte{5});
  payload.back() = std::byte{6};
  SegmentSizes sizes;
  sizes.lane_bytes[lane_index(Lane::kNormal)] = 64u << 20;
  Client large_lane = connect({.sizes = sizes});
  EXPECT_EQ(large_lane.max_payload_bytes(), payload.size());
  submit(large_lane, {.type = "t", .payload = payload});
  ASSERT_TRUE(large_lane.subscribe({}));
  EXPECT_TRUE(std::ranges::equal(take(large_lane).payload(), payload));
  payload.push_back({});
  EXPECT_EQ(error_of(large_lane.submit({.type = "t", .payload = payload})), Error::kPayloadTooLarge);
}

}  // namespace
}  // namespace pqd::test
