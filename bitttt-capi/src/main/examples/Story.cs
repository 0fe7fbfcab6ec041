// Tells a story: mcs Story.cs ../csharp/Bitttt.cs && LD_LIBRARY_PATH=.. mono Story.exe "Once upon a time"
using System;
using BitTtt;

static class Story
{
    static void Main(string[] arguments)
    {
        string prompt = arguments.Length > 0 ? arguments[0] : "Once upon a time";
        Sampling sampling = new Sampling();
        sampling.MaxNewTokens = 200;
        using (Model model = new Model())
        using (Session session = model.NewSession())
        {
            Console.Write(prompt);
            foreach (string piece in session.Generate(prompt, sampling))
            {
                Console.Write(piece);
            }
            Console.WriteLine();
        }
    }
}
