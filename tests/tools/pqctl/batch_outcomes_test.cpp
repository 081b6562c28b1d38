#include "tools/pqctl/batch_outcomes.h"

#include <gtest/gtest.h>

namespace pqd::ctl {
namespace {

const std::vector<JobId> kIds{JobId::make(1, 1, 1, 1), JobId::make(1, 1, 1, 2), JobId::make(1, 1, 1, 3)};

// A line about one of them, with these members behind its id.
std::string line(size_t which, const std::string& members) {
  return "{\"id\":\"" + kIds[which].to_string() + "\"," + members + "}\n";
}
BatchOutcomes read(const std::string& output, bool cut = false) {
  return read_batch_outcomes(output, kIds, cut);
}
// The fault of a single line about the first job, which it leaves without an outcome.
std::string fault_of(const std::string& output) {
  const BatchOutcomes said = read(output);
  EXPECT_EQ(said.jobs.size(), kIds.size());
  EXPECT_FALSE(said.jobs[0]) << output;
  EXPECT_TRUE(said.fault.starts_with("line 1 of the command's output: ")) << said.fault;
  return said.fault;
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(BatchOutcomes, AreNoneWhenNothingWasSaid) {
  for (const char* output : {"", "\n", " \t\r\n\n"}) {
    const BatchOutcomes said = read(output);
    EXPECT_EQ(said.fault, "");
    ASSERT_EQ(said.jobs.size(), 3u);
    for (const auto& job : said.jobs) EXPECT_FALSE(job);
  }
}

TEST(BatchOutcomes, SettleTheJobsThatTheyAreAbout) {
  const BatchOutcomes said = read(line(2, R"("outcome":"fail","error":"no such address","retry":false)") +
                                  "\n" + line(0, R"("outcome":"complete","result":"done")"));
  EXPECT_EQ(said.fault, "");
  ASSERT_TRUE(said.jobs[0] && said.jobs[2]);
  EXPECT_FALSE(said.jobs[1]);
  EXPECT_EQ(said.jobs[0]->verdict, Verdict::kComplete);
  EXPECT_EQ(said.jobs[0]->text, "done");
  EXPECT_EQ(said.jobs[2]->verdict, Verdict::kFailForGood);
  EXPECT_EQ(said.jobs[2]->text, "no such address");
}

TEST(BatchOutcomes, NeedNoNewlineBehindTheLast) {
  std::string output = line(1, R"("outcome":"release")");
  output.pop_back();
  ASSERT_TRUE(read(output).jobs[1]);
  EXPECT_EQ(read(output).jobs[1]->verdict, Verdict::kRelease);
}

TEST(BatchOutcomes, RetryUnlessTheyAreToldNotTo) {
  for (const char* retry : {"", ",\"retry\":true"}) {
    const BatchOutcomes said = read(line(0, std::string(R"("outcome":"fail")") + retry));
    ASSERT_TRUE(said.jobs[0]) << said.fault;
    EXPECT_EQ(said.jobs[0]->verdict, Verdict::kRetry);
  }
}

TEST(BatchOutcomes, KeepResultsAsTheyWereWritten) {
  const auto result = [](const std::string& members) {
    const BatchOutcomes said = read(line(0, R"("outcome":"complete",)" + members));
    EXPECT_EQ(said.fault, "");
    return said.jobs[0] ? said.jobs[0]->text : "";
  };
  EXPECT_EQ(result(R"("result":{"a": 12345678901234567890.10})"), R"({"a":12345678901234567890.10})");
  EXPECT_EQ(result(R"("result":"a\nb")"), "a\nb");
  EXPECT_EQ(result(R"("result":null)"), "null");
  EXPECT_EQ(result(R"("result_base64":"/wA=")"), std::string("\xff\0", 2));
}

TEST(BatchOutcomes, AreRefusedLineByLineAndSayWhy) {
  EXPECT_TRUE(has(fault_of("sent 3 mails\n"), "\"sent 3 mails\" is no JSON object"));
  EXPECT_TRUE(has(fault_of("[]\n"), "is no JSON object"));
  EXPECT_TRUE(has(fault_of("{\"outcome\":\"complete\"}\n"), "\"id\" is missing"));
  EXPECT_TRUE(has(fault_of("{\"id\":\"x\",\"outcome\":\"complete\"}\n"), "no job \"x\" in this batch"));
  EXPECT_TRUE(has(fault_of(line(0, R"("result":"r")")), "must be complete, fail or release"));
  EXPECT_TRUE(has(fault_of(line(0, R"("outcome":"completed")")), "must be complete, fail or release"));
  EXPECT_TRUE(has(fault_of(line(0, R"("outcome":"fail","retries":false)")), "\"retries\" is no field"));
  EXPECT_TRUE(has(fault_of(line(0, R"("outcome":"fail","result":"r")")), "\"result\" is no field"));
  EXPECT_TRUE(has(fault_of(line(0, R"("outcome":"fail","retry":"no")")), "true or false"));
  EXPECT_TRUE(has(fault_of(line(0, R"("outcome":"fail","error":7)")), "must be text"));
  EXPECT_TRUE(has(fault_of(line(0, R"("outcome":"complete","result_base64":"?")")), "Base64"));
  EXPECT_TRUE(
      has(fault_of(line(0, R"("outcome":"complete","result":1,"result_base64":"")")), "exclude each other"));
  const std::string large(64 * 1024 + 1, 'r');
  EXPECT_TRUE(has(fault_of(line(0, R"("outcome":"complete","result":")" + large + "\"")), "over 64 KiB"));
}

TEST(BatchOutcomes, ShowNothingOfAWrongLineThatCouldHarmATerminal) {
  const std::string fault = fault_of("\x1b[2J" + std::string(100'000, 'x') + "\n");
  EXPECT_EQ(fault.find('\x1b'), std::string::npos);
  EXPECT_LT(fault.size(), 250u);
}

TEST(BatchOutcomes, CountBesideALineThatIsWrong) {
  const BatchOutcomes said =
      read(line(0, R"("outcome":"complete")") + "hm\nwhat\n" + line(1, R"("outcome":"release")"));
  EXPECT_TRUE(has(said.fault, "line 2")) << said.fault;
  EXPECT_TRUE(has(said.fault, "\"hm\"")) << "the first of them";
  EXPECT_TRUE(said.jobs[0] && said.jobs[1]);
}

TEST(BatchOutcomes, StandWhenAnotherOneForTheSameJobFollows) {
  const BatchOutcomes said =
      read(line(0, R"("outcome":"complete")") + line(0, R"("outcome":"fail","error":"no")"));
  EXPECT_TRUE(has(said.fault, "line 2 of the command's output: a second outcome for")) << said.fault;
  ASSERT_TRUE(said.jobs[0]);
  EXPECT_EQ(said.jobs[0]->verdict, Verdict::kComplete);
}

TEST(BatchOutcomes, AreOnlyWholeLinesWhenTheOutputWasCut) {
  const std::string whole = line(0, R"("outcome":"complete")");
  const BatchOutcomes said = read(whole + R"({"id":"01)", true);
  EXPECT_EQ(said.fault, "");
  EXPECT_TRUE(said.jobs[0]);
  std::string alone = whole;
  alone.pop_back();
  EXPECT_FALSE(read(alone, true).jobs[0]);
}

}  // namespace
}  // namespace pqd::ctl
