#include "tests/golden/session_play.h"

#include <memory>
#include <sstream>

#include "tests/golden/raw_text.h"

namespace pqd::test {
namespace {

constexpr uint64_t kMadeMs = 1'790'000'000'000;  // when all jobs were made, as their ids say

template <class Number>
void append(Record& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

Record id_bytes(uint64_t tag, uint64_t lane, uint64_t counter) {
  Record bytes;
  append(bytes, (kMadeMs << 16) | (uint64_t{7} << 12) | (tag >> 20));
  append(bytes, (uint64_t{2} << 62) | ((tag & 0xFFFFF) << 42) | (lane << 40) | counter);
  return bytes;
}

// The current session, and the one before.
struct Sessions {
  std::unique_ptr<RawSession> now = std::make_unique<RawSession>();
  std::unique_ptr<RawSession> before = std::make_unique<RawSession>();
};

// "id 1.5", "token 3", "was id 1.5", "session", "secret"
Record named(const std::string& name, const Sessions& sessions) {
  std::istringstream words(name);
  std::string kind;
  words >> kind;
  const bool was = kind == "was";
  if (was) words >> kind;
  const RawSession& session = was ? *sessions.before : *sessions.now;
  if (kind == "session") return sessions.before->reply().substr(24, 8);
  if (kind == "secret") return sessions.before->reply().substr(32, 16);
  size_t number = 0, counter = 0;
  char dot = 0;
  words >> number >> dot >> counter;
  if (kind == "id") return id_bytes(session.tag(), number, counter);
  const auto& deliveries = session.deliveries();
  return number <= deliveries.size() ? deliveries[number - 1].substr(16, 24) : Record(24, '\0');
}

Record bytes_of(const std::string& hex, const Sessions& sessions) {
  Record bytes;
  for (size_t at = 0; at < hex.size();) {
    if (hex[at] == '{') {
      const size_t end = hex.find('}', at);
      bytes += named(hex.substr(at + 1, end - at - 1), sessions);
      at = end + 1;
    } else {
      bytes += static_cast<char>(std::stoul(hex.substr(at, 2), nullptr, 16));
      at += 2;
    }
  }
  return bytes;
}

class Player {
 public:
  Player(const std::string& socket, const std::function<bool()>& restart)
      : socket_(socket), restart_(restart) {}

  bool play(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word) || word == "#") return true;
    if (word == "hello") return hello(rest(words));
    if (word == "restart") return restart_();
    if (word == "wait") return wait(words);
    const bool hold = word == "hold";
    if (hold) words >> word;
    const size_t lane = std::stoul(word);
    sessions_.now->write(lane, bytes_of(rest(words), sessions_));
    return hold || sessions_.now->publish(lane);
  }
  std::string text() const { return earlier_ + text_of(*sessions_.now); }

 private:
  static std::string text_of(const RawSession& session) {
    std::string all = welcome_text(session.reply()) + "\n";
    for (const Record& receipt : session.receipts()) all += receipt_text(receipt) + "\n";
    for (const Record& delivery : session.deliveries()) all += delivery_text(delivery) + "\n";
    for (const Record& answer : session.answers()) all += answer_text(answer) + "\n";
    return all;
  }
  bool hello(const std::string& hex) {
    if (!sessions_.now->reply().empty()) {
      earlier_ += text_of(*sessions_.now);
      sessions_.before = std::exchange(sessions_.now, std::make_unique<RawSession>());
    }
    return sessions_.now->open(socket_, bytes_of(hex, sessions_));
  }
  static std::string rest(std::istringstream& words) {
    std::string text;
    std::getline(words >> std::ws, text);
    return text;
  }
  bool wait(std::istringstream& words) {
    std::string what;
    size_t count = 0;
    words >> what >> count;
    RawSession& session = *sessions_.now;
    if (what == "receipts") return session.wait_receipts(count);
    return what == "deliveries" ? session.wait_deliveries(count) : session.wait_ends_of_answers(count);
  }

  const std::string& socket_;
  const std::function<bool()>& restart_;
  Sessions sessions_;
  std::string earlier_;  // what was written in the sessions before
};

}  // namespace

Played play_session(const std::string& socket, const std::string& script,
                    const std::function<bool()>& restart) {
  Played played;
  Player player(socket, restart);
  std::istringstream lines(script);
  for (std::string line; std::getline(lines, line);) {
    if (player.play(line)) continue;
    played.fault = line;
    break;
  }
  played.text = player.text();
  return played;
}

Record hello_of(const std::string& script) {
  const std::string word = "hello ";
  const size_t at = script.find(word) + word.size();
  return bytes_of(script.substr(at, script.find('\n', at) - at), Sessions());
}

}  // namespace pqd::test
