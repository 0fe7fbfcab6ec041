// Tells a story: (cd ../node && npm install) && node story.mjs "Once upon a time"
import { Model } from '../node/index.mjs';

const prompt = process.argv[2] ?? 'Once upon a time';
const model = new Model();
const session = model.session();
process.stdout.write(prompt);
for await (const piece of session.generate(prompt, { maxNewTokens: 200 })) {
    process.stdout.write(piece);
}
process.stdout.write('\n');
session.close();
model.close();
