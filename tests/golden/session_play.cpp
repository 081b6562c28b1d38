#include "tests/golden/session_play.h"

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

// "id 1.5" or "token 3"
Record named(const std::string& name, const RawSession& session) {
  std::istringstream words(name);
  std::string kind;
  size_t number = 0, counter = 0;
  char dot = 0;
  words >> kind >> number >> dot >> counter;
  if (kind == "id") return id_bytes(session.tag(), number, counter);
  const auto& deliveries = session.deliveries();
  return number <= deliveries.size() ? deliveries[number - 1].substr(16, 24) : Record(24, '\0');
}

Record bytes_of(const std::string& hex, const RawSession& session) {
  Record bytes;
  for (size_t at = 0; at < hex.size();) {
    if (hex[at] == '{') {
      const size_t end = hex.find('}', at);
      bytes += named(hex.substr(at + 1, end - at - 1), session);
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
  explicit Player(const std::string& socket) : socket_(socket) {}

  bool play(const std::string& line) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word) || word == "#") return true;
    if (word == "hello") return session_.open(socket_, bytes_of(rest(words), session_));
    if (word == "wait") return wait(words);
    const bool hold = word == "hold";
    if (hold) words >> word;
    const size_t lane = std::stoul(word);
    session_.write(lane, bytes_of(rest(words), session_));
    return hold || session_.publish(lane);
  }
  std::string text() const {
    std::string all = welcome_text(session_.reply()) + "\n";
    for (const Record& receipt : session_.receipts()) all += receipt_text(receipt) + "\n";
    for (const Record& delivery : session_.deliveries()) all += delivery_text(delivery) + "\n";
    for (const Record& answer : session_.answers()) all += answer_text(answer) + "\n";
    return all;
  }

 private:
  static std::string rest(std::istringstream& words) {
    std::string text;
    std::getline(words >> std::ws, text);
    return text;
  }
  bool wait(std::istringstream& words) {
    std::string what;
    size_t count = 0;
    words >> what >> count;
    if (what == "receipts") return session_.wait_receipts(count);
    return what == "deliveries" ? session_.wait_deliveries(count) : session_.wait_ends_of_answers(count);
  }

  const std::string& socket_;
  RawSession session_;
};

}  // namespace

Played play_session(const std::string& socket, const std::string& script) {
  Played played;
  Player player(socket);
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
  return bytes_of(script.substr(at, script.find('\n', at) - at), RawSession());
}

}  // namespace pqd::test
