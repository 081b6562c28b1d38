#include "core/submit_record.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/limits.h"

namespace pqd {
namespace {

SubmitView sample() {
  SubmitView view;
  view.head.id = JobId::make(1'700'000'000'000, 3, 1, 1);
  view.queue = "orders";
  view.type = "mail.send";
  view.idempotency_key = "key";
  view.ordering_key = "order-7";
  view.subject = "alice";
  view.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  view.metadata = R"({"a":1})";
  view.payload = as_bytes("the payload");
  return view;
}

Bytes written(const SubmitView& view) {
  Bytes record(submit_record_bytes(view));
  write_submit_record(view, record);
  return record;
}

TEST(SubmitRecord, RoundTripsEveryField) {
  SubmitView view = sample();
  view.head.head.flags = kFlagResubmitted | kFlagBackoffJitter;
  view.head.not_before_ms = 1'800'000'000'000;
  view.head.queue_timeout_ms = 1;
  view.head.processing_timeout_ms = 2;
  view.head.backoff_first_ms = 3;
  view.head.backoff_cap_ms = 4;
  view.head.batch_count = 6;
  view.head.batch_index = 5;
  view.head.max_attempts = 7;
  view.head.mode = 1;
  view.head.priority = 20;
  view.head.delivery = 1;
  view.head.durability = 1;
  const Bytes record = written(view);
  const auto read = read_submit_record(record);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->queue, view.queue);
  EXPECT_EQ(read->type, view.type);
  EXPECT_EQ(read->idempotency_key, view.idempotency_key);
  EXPECT_EQ(read->ordering_key, view.ordering_key);
  EXPECT_EQ(read->subject, view.subject);
  EXPECT_EQ(read->traceparent, view.traceparent);
  EXPECT_EQ(read->metadata, view.metadata);
  EXPECT_EQ(as_text(read->payload), "the payload");
  EXPECT_EQ(read->head.id, view.head.id);
  EXPECT_EQ(written(*read), record) << "a field of the head was lost";
}

TEST(SubmitRecord, EmptyPartsRoundTrip) {
  SubmitView view;
  view.queue = "q";
  view.type = "t";
  const Bytes record = written(view);
  const auto read = read_submit_record(record);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->payload.empty() && read->metadata.empty() && read->subject.empty());
}

TEST(SubmitRecord, EveryTruncationAndEveryTailIsRefused) {
  Bytes record = written(sample());
  for (size_t size = 0; size < record.size(); ++size)
    EXPECT_EQ(read_submit_record(ByteView(record).first(size)).error(), Error::kInvalidRequest) << size;
  record.push_back(std::byte{0});
  EXPECT_EQ(read_submit_record(record).error(), Error::kInvalidRequest);
}

TEST(SubmitRecord, LengthsThatDoNotAddUpAreRefused) {
  const Bytes good = written(sample());
  for (const size_t at : {offsetof(SubmitHead, payload_bytes), offsetof(SubmitHead, payload_bytes) + 3,
                          offsetof(SubmitHead, metadata_bytes), offsetof(SubmitHead, queue_bytes),
                          offsetof(SubmitHead, type_bytes), offsetof(SubmitHead, idempotency_key_bytes),
                          offsetof(SubmitHead, ordering_key_bytes), offsetof(SubmitHead, subject_bytes),
                          offsetof(SubmitHead, traceparent_bytes), size_t{0}}) {
    Bytes bad = good;
    bad[at] = static_cast<std::byte>(static_cast<uint8_t>(bad[at]) + 1);
    EXPECT_FALSE(read_submit_record(bad).has_value()) << "byte " << at;
    bad[at] = std::byte{0xFF};
    EXPECT_FALSE(read_submit_record(bad).has_value()) << "byte " << at;
  }
}

TEST(SubmitCheck, NamesAreOfLettersDigitsAndFourSignsAndOfNoOtherByte) {
  const std::string allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const bool good = allowed.find(c) != std::string::npos;
    for (const std::string& name : {std::string{c}, std::string{'a', c}, std::string{c, 'a'}})
      EXPECT_EQ(valid_name(name), good) << "byte " << byte;
  }
}

TEST(SubmitCheck, FieldsWithinTheRulesPass) {
  const std::string name(64, 'n');
  SubmitView view = sample();
  view.queue = view.type = name;
  const std::string key(128, 'k');
  const std::string traceparent(64, 't');
  const std::string metadata(4'096, 'm');
  view.idempotency_key = view.ordering_key = view.subject = key;
  view.traceparent = traceparent;
  view.metadata = metadata;
  for (const uint8_t priority : {uint8_t{1}, uint8_t{20}}) {
    view.head.priority = priority;
    EXPECT_EQ(check_submit(view, 11).error, Error::kOk);
  }
}

TEST(SubmitCheck, EachBadFieldHasItsError) {
  const std::string long_name(65, 'n');
  const std::string long_key(129, 'k');
  const std::string long_traceparent(65, 't');
  const std::string long_metadata(limits::kMetadataBytesMax + 1, 'm');
  struct Case {
    const char* what;
    Error error;
    std::function<void(SubmitView&)> spoil;
  };
  const Case cases[] = {
      {"no queue", Error::kInvalidRequest, [](SubmitView& v) { v.queue = ""; }},
      {"long queue", Error::kInvalidRequest, [&](SubmitView& v) { v.queue = long_name; }},
      {"slash in queue", Error::kInvalidRequest, [](SubmitView& v) { v.queue = "a/b"; }},
      {"NUL in queue", Error::kInvalidRequest, [](SubmitView& v) { v.queue = std::string_view("a\0b", 3); }},
      {"no type", Error::kInvalidRequest, [](SubmitView& v) { v.type = ""; }},
      {"space in type", Error::kInvalidRequest, [](SubmitView& v) { v.type = "a b"; }},
      {"priority 0", Error::kInvalidPriority, [](SubmitView& v) { v.head.priority = 0; }},
      {"priority 21", Error::kInvalidPriority, [](SubmitView& v) { v.head.priority = 21; }},
      {"mode", Error::kInvalidMode, [](SubmitView& v) { v.head.mode = 3; }},
      {"delivery", Error::kInvalidRequest, [](SubmitView& v) { v.head.delivery = 2; }},
      {"durability", Error::kInvalidRequest, [](SubmitView& v) { v.head.durability = 3; }},
      {"payload", Error::kPayloadTooLarge, [](SubmitView& v) { v.payload = as_bytes("twelve bytes"); }},
      {"metadata", Error::kPayloadTooLarge, [&](SubmitView& v) { v.metadata = long_metadata; }},
      {"idempotency key", Error::kInvalidRequest, [&](SubmitView& v) { v.idempotency_key = long_key; }},
      {"key of durability memory", Error::kInvalidRequest, [](SubmitView& v) { v.head.durability = 2; }},
      {"ordering key", Error::kInvalidRequest, [&](SubmitView& v) { v.ordering_key = long_key; }},
      {"subject", Error::kInvalidRequest, [&](SubmitView& v) { v.subject = long_key; }},
      {"traceparent", Error::kInvalidRequest, [&](SubmitView& v) { v.traceparent = long_traceparent; }},
      {"before 1970", Error::kInvalidRequest, [](SubmitView& v) { v.head.not_before_ms = -1; }},
      {"beyond the clock", Error::kInvalidRequest, [](SubmitView& v) { v.head.not_before_ms = INT64_MAX; }},
      {"no jobs", Error::kInvalidRequest, [](SubmitView& v) { v.head.batch_count = 0; }},
      {"index", Error::kInvalidRequest, [](SubmitView& v) { v.head.batch_index = 1; }},
      {"too many", Error::kInvalidRequest, [](SubmitView& v) { v.head.batch_count = 65'537; }},
      {"version 4 id", Error::kInvalidRequest, [](SubmitView& v) { v.head.id.high ^= 0x3000; }},
  };
  for (const Case& c : cases) {
    SubmitView view = sample();
    ASSERT_EQ(check_submit(view, 11).error, Error::kOk);
    c.spoil(view);
    const SubmitFault fault = check_submit(view, 11);
    EXPECT_EQ(fault.error, c.error) << c.what;
    EXPECT_FALSE(fault.what.empty()) << c.what;
  }
}

}  // namespace
}  // namespace pqd
