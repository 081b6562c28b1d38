#include "tools/pqctl/batch_input.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "tools/pqctl/job_environment.h"
#include "tools/pqctl/json_text.h"

namespace pqd::ctl {
namespace {

DeliveredJob job(uint64_t number, std::string_view payload, std::string_view metadata = {}) {
  DeliveryView view;
  view.head.head.kind = static_cast<uint8_t>(DownKind::kDelivery);
  view.head.id = JobId::make(1, 1, 1, number);
  view.head.attempt = 2;
  view.head.max_attempts = 3;
  view.head.priority = 5;
  view.head.mode = static_cast<uint8_t>(Mode::kBatch);
  view.queue = "q";
  view.type = "t";
  view.metadata = metadata;
  view.payload = as_bytes(payload);
  Bytes record(delivery_record_bytes(view));
  write_delivery_record(view, record);
  return DeliveredJob(std::move(record));
}

std::vector<boost::json::object> lines_of(std::span<const DeliveredJob> jobs) {
  const Bytes input = batch_input(jobs);
  std::string_view text = as_text(input);
  std::vector<boost::json::object> lines;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    const auto value = parse_json(text.substr(0, end));
    EXPECT_TRUE(value && value->is_object()) << text;
    if (value) lines.push_back(value->as_object());
    text.remove_prefix(end + 1);
  }
  EXPECT_EQ(text, "") << "every line ends";
  return lines;
}

TEST(BatchInput, IsALineForEachJobInTheirOrder) {
  std::vector<DeliveredJob> jobs;
  jobs.push_back(job(1, "two\nlines \"quoted\"", "{\"a\": 1}"));
  jobs.push_back(job(2, "", "no json"));
  const auto lines = lines_of(jobs);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].at("id").as_string(), jobs[0].id().to_string());
  EXPECT_EQ(lines[0].at("queue").as_string(), "q");
  EXPECT_EQ(lines[0].at("type").as_string(), "t");
  EXPECT_EQ(lines[0].at("mode").as_string(), "batch");
  EXPECT_EQ(lines[0].at("priority").to_number<int>(), 5);
  EXPECT_EQ(lines[0].at("attempt").to_number<int>(), 2);
  EXPECT_EQ(lines[0].at("max_attempts").to_number<int>(), 3);
  EXPECT_EQ(lines[0].at("payload").as_string(), "two\nlines \"quoted\"");
  EXPECT_EQ(lines[0].at("metadata").at("a").to_number<int>(), 1);
  EXPECT_FALSE(lines[0].contains("subject"));
  EXPECT_EQ(lines[1].at("id").as_string(), jobs[1].id().to_string());
  EXPECT_EQ(lines[1].at("payload").as_string(), "");
  EXPECT_EQ(lines[1].at("metadata").as_string(), "no json");
}

TEST(BatchInput, HasAPayloadThatIsNoTextInBase64) {
  const std::vector<DeliveredJob> jobs = [] {
    std::vector<DeliveredJob> made;
    made.push_back(job(1, std::string_view("\xff\0", 2)));
    return made;
  }();
  const auto lines = lines_of(jobs);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].at("payload_base64").as_string(), "/wA=");
  EXPECT_FALSE(lines[0].contains("payload"));
}

TEST(BatchEnvironment, SaysWhatAllJobsShareAndNothingOfOne) {
  ::setenv("PQD_JOB_ID", "of whoever runs us", 1);
  std::vector<DeliveredJob> jobs;
  for (uint64_t i = 0; i < 3; ++i) jobs.push_back(job(i, ""));
  const auto environment = batch_environment(jobs);
  ::unsetenv("PQD_JOB_ID");
  for (const char* variable : {"PQD_BATCH_SIZE=3", "PQD_QUEUE=q", "PQD_TYPE=t", "PQD_MODE=batch"})
    EXPECT_EQ(std::ranges::count(environment, variable), 1) << variable;
  for (const std::string& variable : environment) EXPECT_FALSE(variable.starts_with("PQD_JOB_ID="));
}

}  // namespace
}  // namespace pqd::ctl
