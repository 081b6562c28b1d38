// NDJSON as the world writes it: every bad line is named, every good one submitted.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shm/unique_fd.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

using BadLines = WithPqctl;

const std::string kGood = "{\"type\":\"t\"}";

TEST_F(BadLines, AreNamedByTheirNumberWhileTheRestIsSubmitted) {
  struct Case {
    std::string line;
    std::string complaint;
  };
  const std::vector<Case> cases{
      {"garbage", "INVALID_REQUEST: not valid JSON"},
      {"{\"type\":\"t\"", "INVALID_REQUEST: not valid JSON"},
      {kGood + kGood, "INVALID_REQUEST: not valid JSON"},
      {"[1,2]", "INVALID_REQUEST: a line must be a JSON object"},
      {"{}", "INVALID_REQUEST: the field \"type\" is missing"},
      {"{\"type\":7,\"queue\":[]}", "INVALID_REQUEST: the field \"queue\" must be text or a number"},
      {"{\"type\":\"t\",\"priorty\":3}", "there is no field \"priorty\" (did you mean priority?)"},
      {"{\"type\":\"t\",\"priority\":0}", "INVALID_PRIORITY"},
      {"{\"type\":\"t\",\"mode\":\"lifo\"}", "INVALID_MODE"},
      {"{\"type\":\"t\",\"delay\":\"soon\"}", "INVALID_REQUEST: not a duration: \"soon\""},
      {"{\"type\":\"t\",\"payload_base64\":\"***\"}", "INVALID_REQUEST: payload_base64"},
      {"{\"type\":\"\xff\xfe\"}", "INVALID_REQUEST"},
      {std::string("{\"type\":\"t\0\"}", 12), "INVALID_REQUEST"},
      {std::string("\0", 1), "INVALID_REQUEST"},
      {"{\"type\":\"t\",\"payload\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}",
       "INVALID_REQUEST"},
      {"{\"type\":\"t\",\"payload\":\"" + std::string(10'000'000, 'x') + "\"}", "PAYLOAD_TOO_LARGE"},
      {std::string(10'000'000, 'x'), "INVALID_REQUEST: not valid JSON"},
      {"{\"type\":\"t\",\"mode\":\"\\u001b[31m\\u0007\"}", "INVALID_MODE"},
      {"{\"type\":\"t\",\"mode\":\"" + std::string(100'000, 'm') + "\"}", "INVALID_MODE"},
  };
  std::string input = "\n  \r\n" + kGood + "\r\n";
  for (const Case& bad : cases) input += bad.line + "\n" + kGood + "\n";
  input += kGood;  // without a newline
  const Ran ran = pqctl({"submit", "--ndjson", "-"}, input);
  EXPECT_EQ(ran.exit, 65);
  EXPECT_EQ(line_count(ran.out), cases.size() + 2);
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string place = "pqctl: line " + std::to_string(4 + 2 * i) + ": ";
    const size_t at = ran.err.find(place);
    ASSERT_NE(at, std::string::npos) << place << " in\n" << ran.err;
    EXPECT_TRUE(has(first_line(ran.err.substr(at)), cases[i].complaint)) << first_line(ran.err.substr(at));
  }
  EXPECT_EQ(line_count(ran.err), cases.size() + 1);
  EXPECT_TRUE(has(ran.err, std::to_string(cases.size() + 2) + " accepted, " + std::to_string(cases.size()) +
                               " bad lines"))
      << ran.err;
  EXPECT_FALSE(has(ran.err, "\033")) << "a line's escape sequence reached the terminal";
  EXPECT_LT(ran.err.size(), 8'000u) << "a line's content is shown at length";
  EXPECT_EQ(job_count(), cases.size() + 2);
}

TEST_F(BadLines, AreReadTheSameWayFromAFile) {
  TempDir directory;
  write_file(directory.path("jobs"), kGood + "\nnonsense\n" + kGood + "\n");
  const Ran ran = pqctl({"submit", "--ndjson", directory.path("jobs")});
  EXPECT_EQ(ran.exit, 65);
  EXPECT_EQ(line_count(ran.out), 2u);
  EXPECT_TRUE(has(ran.err, "line 2: ")) << ran.err;
  refused({"submit", "--ndjson", directory.path("none")}, 65, {"cannot read", "none", "No such file"});
  refused({"submit", "--ndjson", directory.path()}, 65, {directory.path(), "Is a directory"});
  EXPECT_EQ(job_count(), 2u);
}

TEST_F(BadLines, AreAllThatAnEmptyInputLacks) {
  const Ran ran = pqctl({"submit", "--ndjson", "-"}, "");
  EXPECT_EQ(ran.exit, 0) << ran.err;
  EXPECT_EQ(ran.out, "");
}

TEST_F(BadLines, AreThoseForADrainingQueueAloneWhileTheRestIsSubmitted) {
  output({"submit", "t", "--queue", "closed"});
  output({"queue", "drain", "closed"});
  std::string input = kGood + "\n{\"type\":\"t\",\"queue\":\"closed\"}\n";
  for (int i = 0; i < 4; ++i) input += kGood + "\n";
  const Ran ran = pqctl({"submit", "--ndjson", "-"}, input);
  EXPECT_EQ(line_count(ran.out), 5u) << ran.out;
  EXPECT_TRUE(has(ran.err, "line 2: UNAVAILABLE: the queue is being drained")) << ran.err;
  EXPECT_TRUE(has(ran.err, "5 accepted, 0 bad lines, 1 refused or undecided")) << ran.err;
  EXPECT_EQ(ran.exit, 69);
  EXPECT_EQ(job_count(), 6u);
}

TEST_F(BadLines, OfWhichNobodyKnowsEndTheStreamOnceTheOthersOutcomesAreTold) {
  const TempDir directory;
  const std::string fifo = directory.path("jobs");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const UniqueFd lines(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
  const auto write_lines = [&](const std::string& text) {
    ASSERT_EQ(::write(lines.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  };
  Program stream(pqctl_words({"submit", "--ndjson", fifo}), {daemon_.socket_variable()});
  write_lines(kGood + "\n");
  ASSERT_TRUE(eventually([&] { return line_count(stream.out()) == 1; })) << stream.err();
  ASSERT_TRUE(daemon_.freeze_engine());
  std::string more = "{\"type\":\"t\",\"durability\":\"memory\",\"delivery\":\"at-most-once\"}\n";
  for (int i = 0; i < 4; ++i) more += kGood + "\n";
  write_lines(more);
  // Who has read all of them and sleeps has sent them.
  ASSERT_TRUE(eventually([&] {
    int unread = 1;
    if (::ioctl(lines.get(), FIONREAD, &unread) != 0 || unread != 0) return false;
    return has(read_file("/proc/" + std::to_string(stream.pid()) + "/stat"), ") S ");
  }));
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  EXPECT_NE(stream.wait(), 0);
  EXPECT_TRUE(has(stream.err(), "line 2: UNKNOWN_OUTCOME: ")) << stream.err();
  EXPECT_TRUE(has(stream.err(), "5 accepted, 0 bad lines, 1 refused or undecided")) << stream.err();
  EXPECT_EQ(line_count(stream.out()), 5u) << stream.out();
  EXPECT_EQ(job_count(), 5u);
}

TEST_F(BadLines, DoNotTakeOptionsThatAreWrongForAll) {
  refused({"submit", "--ndjson", "-", "--mode", "lifo"}, 65, {"INVALID_MODE"}, kGood + "\n");
  EXPECT_EQ(job_count(), 0u);
}

}  // namespace
}  // namespace pqd::test
