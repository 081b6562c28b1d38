#include "core/control_record.h"

#include <gtest/gtest.h>

#include "core/down_record.h"
#include "core/limits.h"

namespace pqd {
namespace {

const JobId kId = JobId::make(1'700'000'000'000, 3, 1, 9);

// `read` refuses every shorter record, and one with a byte too many.
template <class Read>
void expect_exact(const Bytes& record, Read&& read) {
  ASSERT_TRUE(read(ByteView(record)).has_value());
  uint32_t said = 0;
  std::memcpy(&said, record.data(), sizeof said);
  EXPECT_EQ(said, record.size());
  for (size_t size = 0; size < record.size(); ++size)
    EXPECT_FALSE(read(ByteView(record).first(size)).has_value()) << size;
  Bytes longer = record;
  longer.push_back(std::byte{1});
  EXPECT_FALSE(read(ByteView(longer)).has_value());
}

Bytes settle(RecordKind kind, size_t body_bytes, uint8_t progress = 0) {
  SettleHead head;
  head.head.kind = static_cast<uint8_t>(kind);
  head.token = {5, 6, 7, 0};
  head.id = kId;
  head.progress = progress;
  return write_settle(head, Bytes(body_bytes, std::byte{'x'}));
}

TEST(ControlRecord, SettlementRoundTrips) {
  const Bytes record = settle(RecordKind::kComplete, 6, 55);
  expect_exact(record, read_settle);
  const auto view = read_settle(record);
  EXPECT_EQ(view->head.token, (LeaseToken{5, 6, 7, 0}));
  EXPECT_EQ(view->head.id, kId);
  EXPECT_EQ(view->head.progress, 55);
  EXPECT_EQ(as_text(view->body), "xxxxxx");
}

TEST(ControlRecord, SettlementsBodyHasItsLimitByKind) {
  const auto error_of = [](RecordKind kind, size_t bytes) {
    const Bytes record = settle(kind, bytes);
    const auto view = read_settle(record);
    return view ? Error::kOk : view.error();
  };
  EXPECT_EQ(error_of(RecordKind::kComplete, limits::kResultBytesMax), Error::kOk);
  EXPECT_EQ(error_of(RecordKind::kComplete, limits::kResultBytesMax + 1), Error::kPayloadTooLarge);
  EXPECT_EQ(error_of(RecordKind::kFail, limits::kNoteBytesMax), Error::kOk);
  EXPECT_EQ(error_of(RecordKind::kFail, limits::kNoteBytesMax + 1), Error::kPayloadTooLarge);
  EXPECT_EQ(error_of(RecordKind::kExtend, limits::kNoteBytesMax + 1), Error::kPayloadTooLarge);
  EXPECT_EQ(error_of(RecordKind::kStart, 1), Error::kPayloadTooLarge);
  EXPECT_EQ(error_of(RecordKind::kRelease, 1), Error::kPayloadTooLarge);
}

TEST(ControlRecord, ProgressOver100IsRefused) {
  EXPECT_TRUE(read_settle(settle(RecordKind::kExtend, 0, 100)).has_value());
  EXPECT_EQ(read_settle(settle(RecordKind::kExtend, 0, 101)).error(), Error::kInvalidRequest);
}

TEST(ControlRecord, SubscriptionRoundTrips) {
  const Bytes record = write_subscribe({9, 100, "orders", {"a", "mail.send"}});
  expect_exact(record, read_subscribe);
  const auto view = read_subscribe(record);
  EXPECT_EQ(view->number, 9u);
  EXPECT_EQ(view->credits, 100u);
  EXPECT_EQ(view->queue, "orders");
  EXPECT_EQ(view->types, (std::vector<std::string_view>{"a", "mail.send"}));
}

TEST(ControlRecord, SubscriptionOutOfItsRangesIsRefused) {
  const auto refused = [](const SubscribeView& view) {
    return !read_subscribe(write_subscribe(view)).has_value();
  };
  EXPECT_FALSE(refused({0xFFFF, limits::kCreditsMax, "q", {}}));
  EXPECT_TRUE(refused({0x10000, 1, "q", {}}));
  EXPECT_TRUE(refused({1, 0, "q", {}}));
  EXPECT_TRUE(refused({1, limits::kCreditsMax + 1, "q", {}}));
  EXPECT_TRUE(refused({1, 1, "", {}}));
  EXPECT_TRUE(refused({1, 1, "q/", {}}));
  EXPECT_TRUE(refused({1, 1, "q", {"ok", "not ok"}}));
  EXPECT_FALSE(refused({1, 1, "q", std::vector<std::string_view>(limits::kSubscriptionTypesMax, "t")}));
  EXPECT_TRUE(refused({1, 1, "q", std::vector<std::string_view>(limits::kSubscriptionTypesMax + 1, "t")}));
}

TEST(ControlRecord, CommandsRoundTrip) {
  expect_exact(write_unsubscribe(77), read_unsubscribe);
  EXPECT_EQ(read_unsubscribe(write_unsubscribe(77)), 77u);
  expect_exact(write_cancel(kId, true), read_cancel);
  EXPECT_EQ(read_cancel(write_cancel(kId, true))->id, kId);
  EXPECT_EQ(read_cancel(write_cancel(kId, true))->head.flags, kFlagRunning);
  EXPECT_EQ(read_cancel(write_cancel(kId, false))->head.flags, 0);
  expect_exact(write_redrive(kId), read_redrive);
  EXPECT_EQ(read_redrive(write_redrive(kId))->id, kId);
  expect_exact(write_purge(kId), read_purge);
  EXPECT_EQ(read_purge(write_purge(kId))->id, kId);
  const Bytes review = write_review(kId, "bad address");
  EXPECT_EQ(read_review(review)->head.id, kId);
  EXPECT_EQ(read_review(review)->resolution, "bad address");
  for (const QueueAction action : {QueueAction::kPause, QueueAction::kResume, QueueAction::kDrain}) {
    const Bytes record = write_queue_control(action, "orders");
    expect_exact(record, read_queue_control);
    EXPECT_EQ(read_queue_control(record)->action, action);
    EXPECT_EQ(read_queue_control(record)->queue, "orders");
  }
}

TEST(ControlRecord, ReviewSaysSomethingOfAtMostANotesLength) {
  EXPECT_EQ(read_review(write_review(kId, "")).error(), Error::kInvalidRequest);
  EXPECT_TRUE(read_review(write_review(kId, std::string(limits::kNoteBytesMax, 'r'))).has_value());
  EXPECT_EQ(read_review(write_review(kId, std::string(limits::kNoteBytesMax + 1, 'r'))).error(),
            Error::kPayloadTooLarge);
  const Bytes whole = write_review(kId, "r");
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_review(ByteView(whole).first(size)).has_value()) << size;
}

TEST(ControlRecord, UnknownQueueActionIsRefused) {
  EXPECT_FALSE(read_queue_control(write_queue_control(static_cast<QueueAction>(0), "q")).has_value());
  EXPECT_FALSE(read_queue_control(write_queue_control(static_cast<QueueAction>(4), "q")).has_value());
  EXPECT_FALSE(read_queue_control(write_queue_control(QueueAction::kPause, "")).has_value());
}

TEST(ControlRecord, QueryRoundTrips) {
  QueryHead head;
  head.request = 99;
  head.kind = QueryKind::kJobs;
  head.states = 3;
  const Bytes record = write_query(head, "orders", "mail");
  expect_exact(record, read_query);
  const auto view = read_query(record);
  EXPECT_EQ(view->head.request, 99u);
  EXPECT_EQ(view->head.kind, QueryKind::kJobs);
  EXPECT_EQ(view->queue, "orders");
  EXPECT_EQ(view->type, "mail");
}

TEST(ControlRecord, QueryOutOfItsRangesIsRefused) {
  QueryHead head;
  head.limit = 0;
  EXPECT_FALSE(read_query(write_query(head, "", "")).has_value());
  head.limit = limits::kListPageMax + 1;
  EXPECT_FALSE(read_query(write_query(head, "", "")).has_value());
  head.limit = limits::kListPageMax;
  EXPECT_TRUE(read_query(write_query(head, "", "")).has_value());
  head.kind = QueryKind::kDlq;
  head.limit = 101;
  EXPECT_FALSE(read_query(write_query(head, "", "")).has_value());
  head.limit = 100;
  EXPECT_TRUE(read_query(write_query(head, "", "")).has_value());
  EXPECT_FALSE(read_query(write_query(head, "no/name", "")).has_value());
  EXPECT_FALSE(read_query(write_query(head, "", "no name")).has_value());
}

TEST(DownRecord, DeliveryRoundTripsAndIsReadOnlyWhole) {
  DeliveryView view;
  view.head.head.kind = static_cast<uint8_t>(DownKind::kDelivery);
  view.head.number = 3;
  view.head.token = {1, 2, 3, 0};
  view.head.id = kId;
  view.head.attempt = 2;
  view.queue = "orders";
  view.type = "mail";
  view.subject = "alice";
  view.traceparent = "tp";
  view.ordering_key = "k";
  view.metadata = "{}";
  view.payload = as_bytes("payload");
  Bytes record(delivery_record_bytes(view));
  write_delivery_record(view, record);
  expect_exact(record, read_delivery_record);
  const auto read = read_delivery_record(record);
  EXPECT_EQ(read->head.token, view.head.token);
  EXPECT_EQ(read->queue, "orders");
  EXPECT_EQ(read->ordering_key, "k");
  EXPECT_EQ(as_text(read->payload), "payload");
}

}  // namespace
}  // namespace pqd
