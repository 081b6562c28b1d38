#include "tools/pqctl/ndjson_line.h"

#include <gtest/gtest.h>

#include "tools/pqctl/duration.h"

namespace pqd::ctl {
namespace {

SubmitFields good(std::string_view line) {
  auto fields = parse_ndjson_line(line, {});
  EXPECT_TRUE(fields) << line << ": " << (fields ? "" : fields.error().text);
  return fields.value_or(SubmitFields{});
}

std::string why_bad(std::string_view line) {
  const auto fields = parse_ndjson_line(line, {});
  EXPECT_FALSE(fields) << line;
  if (fields) return {};
  EXPECT_EQ(fields.error().exit, kExitBadData) << line;
  return fields.error().text;
}

TEST(NdjsonLine, TakesEveryField) {
  const SubmitFields fields = good(
      R"({"type":"mail","queue":"web","payload":"hi","mode":"priority","priority":20,"delivery":"at-most-once",)"
      R"("durability":"os","max_attempts":5,"not_before":"2026-01-31T12:00:00Z","queue_timeout":"0",)"
      R"("processing_timeout":"2m","backoff":"500ms","backoff_cap":"1m","backoff_jitter":true,)"
      R"("idempotency_key":"k","ordering_key":"o","subject":"s","traceparent":"t","metadata":{"a":1.10}})");
  EXPECT_EQ(fields.type, "mail");
  EXPECT_EQ(fields.queue, "web");
  EXPECT_EQ(fields.payload, "hi");
  EXPECT_EQ(fields.mode, Mode::kPriority);
  EXPECT_EQ(fields.priority, 20);
  EXPECT_EQ(fields.delivery, Delivery::kAtMostOnce);
  EXPECT_EQ(fields.durability, Durability::kOs);
  EXPECT_EQ(fields.max_attempts, 5);
  EXPECT_EQ(fields.not_before_ms, parse_time_ms("2026-01-31T12:00:00Z"));
  EXPECT_EQ(fields.queue_timeout_ms, 0u);
  EXPECT_EQ(fields.processing_timeout_ms, 120'000u);
  EXPECT_EQ(fields.backoff_first_ms, 500u);
  EXPECT_EQ(fields.backoff_cap_ms, 60'000u);
  EXPECT_TRUE(fields.backoff_jitter);
  EXPECT_EQ(fields.idempotency_key, "k");
  EXPECT_EQ(fields.ordering_key, "o");
  EXPECT_EQ(fields.subject, "s");
  EXPECT_EQ(fields.traceparent, "t");
  EXPECT_EQ(fields.metadata, R"({"a":1.10})");
}

TEST(NdjsonLine, TakesAPayloadThatIsNoStringAsItsOwnText) {
  EXPECT_EQ(good(R"({"type":"t","payload": {"n": 12345678901234567890.10} })").payload,
            R"({"n":12345678901234567890.10})");
  EXPECT_EQ(good(R"({"type":"t","payload":null})").payload, "null");
  EXPECT_EQ(good(R"({"type":"t","payload":[1, 2]})").payload, "[1,2]");
  EXPECT_EQ(good(R"({"type":"t"})").payload, "");
  EXPECT_EQ(good(R"({"type":"t","payload_base64":"/wA="})").payload, std::string("\xFF\0", 2));
}

TEST(NdjsonLine, TakesDefaultsFromTheCommandLine) {
  SubmitFields defaults;
  defaults.type = "mail";
  defaults.queue = "web";
  const auto fields = parse_ndjson_line(R"({"payload":"x","queue":"other"})", defaults);
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->type, "mail");
  EXPECT_EQ(fields->queue, "other");
}

TEST(NdjsonLine, KnowsTheFourNamedPriorities) {
  EXPECT_EQ(good(R"({"type":"t","priority":"LOW"})").priority, 1);
  EXPECT_EQ(good(R"({"type":"t","priority":"NORMAL"})").priority, 5);
  EXPECT_EQ(good(R"({"type":"t","priority":"HIGH"})").priority, 10);
  EXPECT_EQ(good(R"({"type":"t","priority":"CRITICAL"})").priority, 20);
  EXPECT_NE(why_bad(R"({"type":"t","priority":"high"})").find("INVALID_PRIORITY"), std::string::npos);
}

TEST(NdjsonLine, SaysWhatIsWrong) {
  EXPECT_NE(why_bad("garbage").find("not valid JSON"), std::string::npos);
  EXPECT_NE(why_bad("[1]").find("object"), std::string::npos);
  EXPECT_NE(why_bad(R"({"payload":"x"})").find("type"), std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t","priorty":3})").find("did you mean priority?"), std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t","priority":21})").find("INVALID_PRIORITY"), std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t","priority":0})").find("INVALID_PRIORITY"), std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t","mode":"fifi"})").find("did you mean fifo?"), std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t t"})").find("INVALID_REQUEST"), std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t","delay":"soon"})").find("duration"), std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t","queue":["a"]})").find("queue"), std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t","payload":"x","payload_base64":"eA=="})").find("exclude"),
            std::string::npos);
  EXPECT_NE(why_bad(R"({"type":"t","metadata":")" + std::string(5'000, 'x') + "\"}").find("4 KiB"),
            std::string::npos);
}

}  // namespace
}  // namespace pqd::ctl
