"""
When is a spoken word recognised?
=================================

A sound is a sequence of spectra, and each recording has another length. Here made-up words of
vowels are classified, and one sees after which sound the word is known.
"""

# %%
# Words of vowels
# ---------------
#
# A voice has many overtones, and a vowel makes those near its two formants louder. ``speak`` glides
# from vowel to vowel, with another pitch, speed and size of the mouth each time, and with noise.

import matplotlib.pyplot as plt
import numpy as np

from sk_ctxmem import ContextMemoryClassifier

RATE = 8000  # samples in a second
FORMANTS = {"a": (730, 1090), "i": (270, 2290), "u": (300, 870), "o": (570, 840)}  # Hz
WORDS = ["oia", "aui", "aia", "aio"]
random = np.random.RandomState(0)


def speak(word):
    """Return samples of a word, and the samples at which its vowels begin."""
    lengths = random.randint(RATE // 10, RATE // 4, len(word))
    begins = np.cumsum(lengths) - lengths
    time = np.arange(lengths.sum())
    mouth, pitch = random.uniform(0.9, 1.15), random.uniform(90, 220)
    middles = begins + lengths / 2
    first, second = (
        mouth * np.interp(time, middles, [FORMANTS[vowel][n] for vowel in word]) for n in (0, 1)
    )
    sound = np.zeros(len(time))
    for overtone in range(1, int(3500 / pitch)):
        frequency = overtone * pitch
        loudness = 1 / (1 + ((frequency - first) / 80) ** 2)
        loudness += 0.5 / (1 + ((frequency - second) / 120) ** 2)
        sound += loudness * np.sin(2 * np.pi * frequency * time / RATE)
    return sound + random.randn(len(time)) * random.uniform(0.3, 1.5), begins


# %%
# Sounds as sequences
# -------------------
#
# Each frame is a spectrum of 25 ms, one every 10 ms, as its power in 25 bands.

WIDTH, STEP = RATE // 40, RATE // 100


def spectrogram(sound):
    """Return the logarithm of the power, an array of shape (n_frames, n_bands)."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, WIDTH)[::STEP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WIDTH))) ** 2
    return np.log(power[:, 1:].reshape(len(frames), 25, -1).mean(axis=2) + 1e-3)


y, y_test = np.array(WORDS * 75), np.array(WORDS * 25)
X = [spectrogram(speak(word)[0]) for word in y]
spoken = [speak(word) for word in y_test]
X_test = [spectrogram(sound) for sound, _ in spoken]
print(f"{len(X)} recordings of {min(map(len, X))} to {max(map(len, X))} frames")

clf = ContextMemoryClassifier(random_state=0).fit(X, y)
print(f"accuracy on other recordings: {clf.score(X_test, y_test):.2f}")

# %%
# When a word is known
# --------------------
#
# Above the spectrum, below it the probability of each word after each frame; the lines are where
# the next vowel begins. "oia" is known by its first sound, "aui" by its second, and "aia" and "aio"
# by their last.

figure, axes = plt.subplots(2, 4, figsize=(11, 5), layout="constrained", sharex="col", sharey="row")
for word, (above, below) in zip(WORDS, axes.T, strict=True):
    number = WORDS.index(word)  # the first recording of it
    frames, begins = X_test[number], spoken[number][1][1:] / STEP
    above.imshow(
        frames.T, origin="lower", aspect="auto", cmap="magma", extent=(0, len(frames), 0, 4)
    )
    so_far = clf.predict_proba([frames[:n] for n in range(1, len(frames) + 1)])
    for column, name in enumerate(clf.classes_):
        below.plot(np.arange(1, len(frames) + 1), so_far[:, column], label=name)
    for begin in begins:
        above.axvline(begin, color="white")
        below.axvline(begin, color="gray", linewidth=0.8)
    above.set_title(word)
    below.set_xlabel("frames of 10 ms")
axes[0, 0].set_ylabel("kHz")
axes[1, 0].set_ylabel("probability")
axes[1, 0].legend(fontsize=8)
plt.show()
