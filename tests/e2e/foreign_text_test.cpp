// What others wrote, on the terminal of whoever looks at it.
#include <optional>

#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

// A title, a bell, a colour, CSI in one character, DEL, two changes of direction; then what a terminal may
// have.
const std::string kLoaded =
    "\033]0;owned\a\033[31mred\xC2\x9B"
    "31m\x7F\xE2\x80\xAE\xD8\x9Ckept\tthis\nand this\n";

// The first of their bytes in `shown`; a byte 9B is CSI whatever stands before it.
std::string unruly(const std::string& shown) {
  const size_t at = shown.find_first_of("\033\a\x7F\x9B\x9C\xAE");
  return at == std::string::npos ? "" : "byte " + std::to_string(at) + " of\n" + shown;
}

class ForeignText : public WithPqctl {
 protected:
  static constexpr Milliseconds kPatience{kWatchdog};

  void SetUp() override {
    WithPqctl::SetUp();
    auto client = Client::connect({.socket = daemon_.socket()});
    ASSERT_TRUE(client) << client.error().text;
    client_.emplace(std::move(*client));
  }
  // A job of this consumer's, whose every text is loaded.
  DeliveredJob take(const std::string& type) {
    EXPECT_TRUE(client_->subscribe({.queue = "default", .types = {type}}));
    EXPECT_TRUE(client_->submit({.type = type,
                                 .payload = as_bytes(kLoaded),
                                 .max_attempts = 1,
                                 .metadata = "{\"note\xC2\x9B\":\"\xC2\x9B\xE2\x80\xAE\x7F\"}"}));
    auto job = client_->next(kPatience);
    EXPECT_TRUE(job && *job);
    EXPECT_TRUE(client_->start(**job));
    EXPECT_TRUE(client_->extend(**job, {.progress = 7, .note = kLoaded}));
    return std::move(**job);
  }
  std::string completed(const std::string& result) {
    const DeliveredJob job = take("good");
    EXPECT_TRUE(client_->complete(job, as_bytes(result)));
    EXPECT_TRUE(client_->flush(kPatience));
    return job.id().to_string();
  }
  std::string failed() {
    const DeliveredJob job = take("bad");
    EXPECT_TRUE(client_->fail(job, kLoaded, false));
    EXPECT_TRUE(client_->flush(kPatience));
    return job.id().to_string();
  }
  std::string seen(const std::string& words) { return on_a_terminal(words, {"NO_COLOR=1", "TERM=xterm"}); }

  TempDir files_;
  std::optional<Client> client_;
};

TEST_F(ForeignText, OfAResultIsHarmlessOnATerminalAndUnchangedInAPipe) {
  const std::string result = kLoaded + "\x9B";  // no text at all
  const std::string id = completed(result);
  const std::string shown = seen("wait " + id);
  EXPECT_EQ(unruly(shown), "");
  EXPECT_TRUE(has(shown, "kept\tthis\r\nand this\r\n")) << shown;
  EXPECT_EQ(output({"wait", id}), result);
}

TEST_F(ForeignText, OfAResultIsHarmlessForWhoSubmittedAndWaits) {
  write_file(files_.path("payload"), kLoaded);
  const Program worker(pqctl_words({"work", "echo", "--", "cat"}), {daemon_.socket_variable()});
  const std::string shown = seen("submit echo @" + files_.path("payload") + " --wait");
  EXPECT_EQ(unruly(shown), "");
  EXPECT_TRUE(has(shown, "kept\tthis\r\nand this\r\n")) << shown;
  EXPECT_EQ(output({"submit", "echo", "@" + files_.path("payload"), "--wait"}), kLoaded);
}

TEST_F(ForeignText, IsEscapedInJson) {
  const std::string good = completed(kLoaded);
  const std::string bad = failed();
  for (const std::string& words :
       {"get " + good, "get " + bad, "wait " + good, "dlq show " + bad, std::string("ls"), "explain " + bad,
        std::string("events"), std::string("dlq ls")}) {
    for (const char* format : {" -o json", " -o jsonl"}) EXPECT_EQ(unruly(seen(words + format)), "") << words;
  }
  const std::string json = job(good);
  EXPECT_EQ(unruly(json), "");
  EXPECT_TRUE(has(json, R"(red\u009b31m\u007f\u202e\u061ckept\tthis\nand this\n")")) << json;
  EXPECT_TRUE(has(json, R"("metadata":{"note\u009b":"\u009b\u202e\u007f"})")) << json;
}

TEST_F(ForeignText, IsHarmlessInEveryView) {
  const std::string good = completed(kLoaded);
  const std::string bad = failed();
  output({"dlq", "review", bad, "--resolution", kLoaded});
  for (const std::string& words :
       {"get " + good, "get " + bad, "wait " + bad, "explain " + bad, "dlq show " + bad,
        std::string("dlq ls"), std::string("ls"), std::string("events"), std::string("health"),
        std::string("queue ls"), std::string("queue show default")})
    EXPECT_EQ(unruly(seen(words)), "") << words;
}

TEST_F(ForeignText, OfACommandIsHarmlessOnItsWorkersTerminalAndUnchangedInAPipe) {
  const std::string work = "work bad -- sh -c 'cat >&2; kill $PPID; exit 65'";
  output({"submit", "bad", "-"}, kLoaded);
  const std::string shown = seen(work);
  EXPECT_EQ(unruly(shown), "");
  EXPECT_TRUE(has(shown, "kept\tthis\r\nand this\r\n")) << shown;
  output({"submit", "bad", "-"}, kLoaded);
  const Ran piped = run({"sh", "-c", PQD_BIN_DIR "/pqctl " + work}, {daemon_.socket_variable()});
  EXPECT_TRUE(has(piped.err, kLoaded)) << piped.err;
}

TEST_F(ForeignText, OfAConfigurationIsHarmlessOnATerminal) {
  write_file(files_.path("pqd.toml"), "[daemon]\nstate_dir = \"/\xC2\x9B\xE2\x80\xAE\"\n");
  const std::string show = "config show --config " + files_.path("pqd.toml");
  EXPECT_EQ(unruly(seen(show)), "");
  EXPECT_EQ(unruly(seen(show + " -o json")), "");
  EXPECT_TRUE(has(run({"sh", "-c", PQD_BIN_DIR "/pqctl " + show}).out, "/\xC2\x9B\xE2\x80\xAE\"\n"));
}

}  // namespace
}  // namespace pqd::test
