// What `npm run bench -- asr --rivals` compares with: whisper.cpp step by step, loaded once.
//
//   rival MODEL SOUND TOKENS THREADS END PROMPT...
// SOUND is raw float32, 16 kHz. Each line read means: do the work once more. Each answer is one line of JSON.
// No whisper_full(): with random weights it would judge the text and begin again at another temperature.
#include "whisper.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

namespace {

struct Job {
    std::vector<float> sound;
    int tokens;
    int threads;
    whisper_token end;
    std::vector<whisper_token> prompt;
};

[[noreturn]] void fail(const char * what) {
    std::fprintf(stderr, "%s\n", what);
    std::exit(1);
}

std::vector<float> read_sound(const char * path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (bytes.empty()) fail("no sound");
    const auto * samples = reinterpret_cast<const float *>(bytes.data());
    return { samples, samples + bytes.size() / sizeof(float) };
}

// Logits of the last of `rows` positions.
whisper_token likeliest(whisper_context * context, int rows, whisper_token forbidden) {
    const int width = whisper_n_vocab(context);
    float * logits = whisper_get_logits(context) + static_cast<size_t>(rows - 1) * width;
    logits[forbidden] = -std::numeric_limits<float>::infinity();
    return static_cast<whisper_token>(std::max_element(logits, logits + width) - logits);
}

std::vector<whisper_token> work(whisper_context * context, const Job & job) {
    if (whisper_pcm_to_mel(context, job.sound.data(), static_cast<int>(job.sound.size()), job.threads) != 0) fail("no features");
    if (whisper_encode(context, 0, job.threads) != 0) fail("not encoded");
    int past = static_cast<int>(job.prompt.size());
    if (whisper_decode(context, job.prompt.data(), past, 0, job.threads) != 0) fail("not decoded");
    std::vector<whisper_token> written = { likeliest(context, past, job.end) };
    while (static_cast<int>(written.size()) < job.tokens) {
        if (whisper_decode(context, &written.back(), 1, past++, job.threads) != 0) fail("not decoded");
        written.push_back(likeliest(context, 1, job.end));
    }
    return written;
}

void answer(double ms, const std::vector<whisper_token> & tokens) {
    std::printf("{\"ms\":%.3f,\"tokens\":[", ms);
    for (size_t index = 0; index < tokens.size(); index++) std::printf(index == 0 ? "%d" : ",%d", tokens[index]);
    std::printf("]}\n");
    std::fflush(stdout);
}

} // namespace

int main(int count, char ** words) {
    if (count < 7) fail("say MODEL SOUND TOKENS THREADS END PROMPT...");
    Job job = { read_sound(words[2]), std::atoi(words[3]), std::atoi(words[4]), std::atoi(words[5]), {} };
    for (int index = 6; index < count; index++) job.prompt.push_back(std::atoi(words[index]));
    whisper_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
    // As they come: flash attention is on by default.
    whisper_context * context = whisper_init_from_file_with_params(words[1], whisper_context_default_params());
    if (context == nullptr) fail("not loaded");
    answer(0, work(context, job));
    for (std::string line; std::getline(std::cin, line);) {
        const auto started_at = std::chrono::steady_clock::now();
        const auto written = work(context, job);
        answer(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started_at).count(), written);
    }
    whisper_free(context);
}
